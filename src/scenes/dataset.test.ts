/** @file Scenes on disk: complete, reproducible, resumable, and agreeing with the pictures. */
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RandomStream } from '../tensor/random.ts';
import { type SceneRecord, writeScenes } from './dataset.ts';
import { decodeRle } from './rle.ts';
import { drawScene } from './scene.ts';
import { loadSprites } from './sprites.ts';

const cacheDirectory = join(tmpdir(), 'narrows-test-cache');
const base = { styles: ['twemoji'], seed: 6, questions: true, cacheDirectory };
let root: string;
const readRecords = async (directory: string): Promise<SceneRecord[]> =>
  (await readFile(join(directory, 'scenes.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as SceneRecord);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-scenes-'));
  await loadSprites({ styles: base.styles, cacheDirectory });
});
afterAll(() => rm(root, { recursive: true, force: true }));

it('writes images and lines that agree with drawScene', async () => {
  const outputDirectory = join(root, 'whole');
  const progress: number[] = [];
  const result = await writeScenes({ ...base, count: 12, outputDirectory, onProgress: done => progress.push(done) });
  expect(result).toEqual({ directory: outputDirectory, count: 12, drawn: 12 });
  expect(progress).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
  const world = await loadSprites({ styles: base.styles, cacheDirectory });
  const records = await readRecords(outputDirectory);
  expect(records.map(r => r.sample)).toEqual(progress.map(n => n - 1));
  for (const record of records) {
    const { data, info } = await sharp(join(outputDirectory, record.file_name)).raw().toBuffer({ resolveWithObject: true });
    const scene = drawScene(world, {}, new RandomStream(6, 'scenes').reader(0, record.sample));
    expect([info.width, info.height, info.channels]).toEqual([96, 96, 3]);
    expect(Buffer.compare(data, scene.image.data)).toBe(0);
    expect(record.schemaVersion).toBe(1);
    expect(record.questions?.length).toBeGreaterThanOrEqual(3);
    record.objects.forEach((object, k) => {
      const mask = decodeRle(object.mask as NonNullable<typeof object.mask>);
      expect([...mask]).toEqual([...scene.owners].map(o => (o === k ? 1 : 0)));
      const [x, y, w, h] = object.box;
      expect({ left: x, top: y, width: w, height: h }).toEqual(scene.objects[k].box);
      expect(object.style).toBe('twemoji');
      expect(object.area).toBe(mask.reduce((a, b) => a + b, 0));
    });
  }
});

it('goes on after an abort and after growth, to the same bytes', async () => {
  const outputDirectory = join(root, 'resumed');
  const controller = new AbortController();
  const stopped = writeScenes({
    ...base,
    count: 12,
    outputDirectory,
    signal: controller.signal,
    onProgress: done => done === 4 && controller.abort(new Error('stop')),
  });
  await expect(stopped).rejects.toThrow('stop');
  const partial = await readdir(join(outputDirectory, 'images'));
  expect(partial.length).toBeGreaterThanOrEqual(4);
  expect(partial.every(name => name.endsWith('.png'))).toBe(true);
  await expect(stat(join(outputDirectory, 'scenes.jsonl'))).rejects.toThrow('ENOENT');
  const { drawn } = await writeScenes({ ...base, count: 10, outputDirectory });
  expect(drawn).toBe(10 - Math.min(10, partial.length));
  await writeScenes({ ...base, count: 12, outputDirectory });
  for (const name of ['scenes.jsonl', 'dataset.json', 'images/000011.png']) {
    expect(Buffer.compare(await readFile(join(outputDirectory, name)), await readFile(join(root, 'whole', name)))).toBe(0);
  }
});

it('does not mix two sets, and refuses nonsense before it writes', async () => {
  await expect(writeScenes({ ...base, seed: 7, count: 3, outputDirectory: join(root, 'whole') })).rejects.toThrow(/other settings/);
  const outputDirectory = join(root, 'never');
  await expect(writeScenes({ ...base, count: 0, outputDirectory })).rejects.toThrow(/positive integer/);
  await expect(writeScenes({ ...base, count: 1, minObjects: 5, maxObjects: 4, outputDirectory })).rejects.toThrow(/0 to 16 objects/);
  await expect(stat(outputDirectory)).rejects.toThrow('ENOENT');
});

/** `narrows attribute` on phrases: of one caption, of lists with --spans or with findings, and of a folder. Every row's map is that of its own phrase. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createMethod } from '../../attribution/registry.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import { CLIPModel } from '../../models/pretrained.ts';
import { attributeCommand } from '../commands/attribute.ts';
import { callCommand } from '../testing/call-command.ts';

const scene = fileURLToPath(new URL('../../../examples/scene.png', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'narrows-phrases-'));
const films = join(folder, 'films');
let model: CLIPModel;
beforeAll(async () => {
  mkdirSync(films);
  for (const name of ['a.png', 'b.png']) copyFileSync(scene, join(films, name));
  model = await CLIPModel.fromPretrained('scene-clip');
});
afterAll(async () => {
  await model.release();
  rmSync(folder, { recursive: true, force: true });
});

const call = (...args: string[]) =>
  callCommand(attributeCommand, ['--model', 'scene-clip', '--method', 'grad-cam', '--modality', 'image', ...args]);
/** Rows of an audit with the map that its files hold. */
function rowsOf(
  directory: string,
): { image: string; caption: string; phrase?: string; findings?: string; error?: string; patches?: number[]; file?: number[] }[] {
  const lines = readFileSync(join(directory, 'results.jsonl'), 'utf8').trim().split('\n');
  return lines.map(line => {
    const row = JSON.parse(line);
    const json = row.files?.find((name: string) => name.endsWith('.json'));
    return { ...row, ...(json ? { file: JSON.parse(readFileSync(join(directory, json), 'utf8')).image.patches.flat() } : {}) };
  });
}
async function own(text: string): Promise<Float32Array> {
  await using method = createMethod('grad-cam', model);
  return (await method.attribute({ image: await decodeImage(scene), text }, { modality: 'image' })).image!.patches;
}
async function expectOwnMaps(directory: string): Promise<void> {
  for (const { caption, patches, file, error } of rowsOf(directory)) {
    if (error !== undefined) continue;
    const expected = await own(caption);
    for (const [i, value] of expected.entries()) {
      expect(patches![i]).toBeCloseTo(value, 5);
      expect(file![i]).toBeCloseTo(value, 5);
    }
  }
}

it('a folder and phrases: each phrase on every picture', { timeout: 120_000 }, async () => {
  const output = join(films, 'maps');
  expect(await call(films, '--spans', 'a cat;an umbrella', '--output', output)).toMatchObject({ code: 0 });
  expect(rowsOf(output).map(r => [r.image, r.caption, r.phrase])).toEqual([
    ['a.png', 'a cat', '1 of 2'],
    ['a.png', 'an umbrella', '2 of 2'],
    ['b.png', 'a cat', '1 of 2'],
    ['b.png', 'an umbrella', '2 of 2'],
  ]);
  await expectOwnMaps(output);
  expect(await own('a cat')).not.toEqual(await own('an umbrella'));
  // What the first run wrote into the folder is no picture of the next.
  const again = await call('--pairs', films, '--text', 'a cat', '--formats', 'png', '--output', output);
  expect(again.stdout).toContain('2 of 2 pairs attributed');
  expect((await call('--pairs', films, '--text', 'a cat', '--formats', 'png', '--output', output)).stdout).toContain('2 of 2 pairs');
});

it('lists: --spans gives the caption and its phrases, a column of findings each of them', { timeout: 120_000 }, async () => {
  const list = join(folder, 'reports.csv');
  writeFileSync(list, 'image,text,ward\nfilms/a.png,"a cat, an umbrella",north\nfilms/b.png,a cat,south\n');
  const spans = await call('--pairs', list, '--spans', 'umbrella', '--output', join(folder, 'spans'));
  expect(spans.code).toBe(1);
  expect(spans.stderr).toContain('reports.csv, line 3: The caption does not hold the phrase "umbrella"');
  expect(rowsOf(join(folder, 'spans')).map(r => [r.caption, r.phrase, r.error?.slice(0, 25)])).toEqual([
    ['a cat, an umbrella', 'all', undefined],
    ['umbrella', '1 of 1', undefined],
    ['a cat', 'all', undefined],
    ['umbrella', '1 of 1', 'The caption does not hold'],
  ]);
  await expectOwnMaps(join(folder, 'spans'));
  const findings = join(folder, 'findings.csv');
  writeFileSync(findings, 'image,findings\nfilms/a.png,a cat; an umbrella\nfilms/b.png,\n');
  const called = await call('--pairs', findings, '--output', join(folder, 'findings'));
  expect(called).toMatchObject({ code: 0 });
  expect(called.stderr).toContain('findings.csv, line 3: there are no findings, so there is no map.');
  expect(rowsOf(join(folder, 'findings')).map(r => [r.caption, r.phrase, r.findings])).toEqual([
    ['a cat', '1 of 2', 'a cat; an umbrella'],
    ['an umbrella', '2 of 2', 'a cat; an umbrella'],
  ]);
  await expectOwnMaps(join(folder, 'findings'));
});

it('one caption: a page of all phrases that says which is which, and pictures by number', { timeout: 120_000 }, async () => {
  const page = join(folder, 'page.html');
  const called = await call(scene, 'a cat, an umbrella', '--spans', 'commas', '--output', page, '--output', join(folder, 'map.json'));
  expect(called).toMatchObject({ code: 0 });
  const html = readFileSync(page, 'utf8');
  for (const text of [
    'A report, phrase by phrase',
    'The whole caption',
    'Phrase 1 of 2, explained as a caption of its own',
    'Phrase 2 of 2',
  ])
    expect(html).toContain(text);
  const map = (name: string): number[] => JSON.parse(readFileSync(join(folder, name), 'utf8')).image.patches.flat();
  for (const [name, text] of [
    ['map.json', 'a cat, an umbrella'],
    ['map-1.json', 'a cat'],
    ['map-2.json', 'an umbrella'],
  ])
    for (const [i, value] of (await own(text)).entries()) expect(map(name)[i]).toBeCloseTo(value, 5);
  const many = Array(50).fill('a cat').join(', ');
  const refused = await call(scene, many, '--spans', 'commas', '--output', page);
  expect(refused.stderr).toContain('The caption has 50 phrases, and a page holds 49 with it');
});

it('refuses in one sentence what does not go together', async () => {
  const refused = async (...args: string[]): Promise<string> => (await call(...args)).stderr;
  expect(await refused(films, '--output', join(folder, 'x'))).toContain('or give one caption for all');
  expect(await refused(films, 'a cat')).toMatch(/films is a directory, whose pictures get a map each: that needs one --output/);
  expect(await refused(scene, '--pairs', films, '--output', join(folder, 'x'))).toContain('leave IMAGE out');
  mkdirSync(join(folder, 'none'));
  expect(await refused(join(folder, 'none'), 'a cat', '--output', join(folder, 'x'))).toContain('holds no pictures');
});

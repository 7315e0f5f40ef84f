import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../../../test/support.ts';
import { createMethod } from '../../attribution/registry.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import { loadModel } from '../../models/pretrained.ts';
import { pageOf } from '../../studio/audit/rows.ts';
import type { AuditRow } from '../../studio/facts.ts';
import { rowsQuery } from '../../studio/requests.ts';
import { auditArguments } from './audit-job.ts';

import { describeSource, openSource, type Source } from './sources.ts';
import { eventsOf, ofKind, type TestStudio, testStudio } from './testing/studio.ts';

const folder = mkdtempSync(join(tmpdir(), 'narrows-audit-'));
const data = join(folder, 'data');
const list = join(data, 'pairs.csv');
const scene = `${repository}examples/scene.png`;
const CAPTION = 'a cat and an umbrella';
let source: Source;
let studio: TestStudio;

beforeAll(async () => {
  mkdirSync(data);
  for (const name of ['cat.png', 'more.png']) copyFileSync(scene, join(data, name));
  copyFileSync(scene, join(folder, 'outside.png'));
  const rows = [
    'image,text,ward,box',
    `cat.png,${CAPTION},north,"[0,0,96,96]"`,
    'more.png,a rocket,south,',
    'gone.png,a rocket,south,',
    '../outside.png,an umbrella,<b>east</b>,',
  ];
  writeFileSync(list, `${rows.join('\n')}\n`);
  source = await openSource(list);
  studio = await testStudio({ sources: [source] });
});
afterAll(async () => {
  await studio[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const id = () => source.info.id;
const request = () => ({ model: 'scene-clip', source: id(), method: { name: 'input-x-gradient', options: {} }, seed: 0 });

describe('an audit in the studio', () => {
  it('shows the list before anything is computed', async () => {
    const { client } = studio;
    expect(await client.sources()).toEqual([{ id: id(), kind: 'pairs', name: 'pairs.csv', count: 4 }]);
    const page = await client.rows({ source: id() });
    expect([page.total, page.all]).toEqual([4, 4]);
    expect(page.rows.map(r => [r.line, r.image, r.caption, r.state])).toEqual([
      [2, 'cat.png', CAPTION, 'open'],
      [3, 'more.png', 'a rocket', 'open'],
      [4, 'gone.png', 'a rocket', 'open'],
      [5, '../outside.png', 'an umbrella', 'open'],
    ]);
    expect(page.rows[3].further.ward).toBe('<b>east</b>');
  });

  it('has the maps of the library, keeps failures, and goes on where it was stopped', async () => {
    const { client } = studio;
    const events = await eventsOf(client.audit(request()));
    expect(events.at(-1)).toEqual({ kind: 'done' });
    expect(ofKind(events, 'rows').at(-1)).toMatchObject({ done: 3, failed: 1, total: 4 });
    const { rows } = await client.rows({ source: id() });
    expect(rows.map(r => r.state)).toEqual(['done', 'done', 'failed', 'done']);
    expect(rows[2].failure).toContain('gone.png does not exist');
    await using model = await loadModel('scene-clip');
    await using method = createMethod('input-x-gradient', model);
    const own = await method.attribute({ image: await decodeImage(scene), text: CAPTION });
    expect(rows[0].cosine).toBeCloseTo(own.cosine, 6);
    expect(rows[0].cosine).not.toBeCloseTo(rows[1].cosine!, 3);
    // The box is the whole picture.
    expect([rows[0].insideBox, rows[1].insideBox]).toEqual([expect.closeTo(1, 6), undefined]);
    const detail = await client.row(id(), rows[0].key);
    expect(detail.picture).toMatchObject({ name: 'cat.png', width: 96 });
    expect(detail.map).toMatchObject({ unit: 'score', grid: own.image!.grid, view: own.image!.view });
    for (const [i, value] of detail.map!.patches.entries()) expect(value).toBeCloseTo(own.image!.patches[i], 5);
    expect(detail.words?.map(w => w.text)).toEqual(own.text!.words.map(w => w.text));
    const before = readFileSync(join(data, 'pairs.audit', cellsFolder(), 'cells.jsonl'), 'utf8');
    const again = await eventsOf(client.audit(request()));
    expect(ofKind(again, 'rows')[0]).toMatchObject({ done: 3 });
    expect(readFileSync(join(data, 'pairs.audit', cellsFolder(), 'cells.jsonl'), 'utf8').startsWith(before)).toBe(true);
    const bad = await eventsOf(client.audit({ ...request(), model: './no-such-model' }));
    expect(bad.at(-1)).toMatchObject({ kind: 'failure', reason: 'input', message: expect.stringContaining('no-such-model') });
    // One that could not begin leaves the table as it was.
    expect((await client.rows({ source: id() })).rows.map(r => r.state)).toEqual(['done', 'done', 'failed', 'done']);
  });

  it('keeps verdicts beside the list, and finds audit and verdicts again after a new start', async () => {
    const { client } = studio;
    const { rows } = await client.rows({ source: id() });
    await client.verdict({ source: id(), row: rows[0].key, verdict: 'right' });
    await client.verdict({ source: id(), row: rows[1].key, verdict: 'wrong', note: 'the frame </script>' });
    await client.verdict({ source: id(), row: rows[1].key, verdict: 'unsure' });
    await client.verdict({ source: id(), row: rows[3].key, verdict: 'right' });
    await client.verdict({ source: id(), row: rows[3].key, verdict: null });
    await expect(client.verdict({ source: id(), row: 'stranger', verdict: 'right' })).rejects.toMatchObject({ reason: 'missing' });
    const lines = readFileSync(join(data, 'pairs.verdicts.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(lines.map(l => [l.image, l.text, l.method, l.model, l.verdict])).toEqual([
      ['cat.png', CAPTION, 'input-x-gradient', 'scene-clip', 'right'],
      ['more.png', 'a rocket', 'input-x-gradient', 'scene-clip', 'wrong'],
      ['more.png', 'a rocket', 'input-x-gradient', 'scene-clip', 'unsure'],
      ['../outside.png', 'an umbrella', 'input-x-gradient', 'scene-clip', 'right'],
      ['../outside.png', 'an umbrella', 'input-x-gradient', 'scene-clip', null],
    ]);
    await using other = await testStudio({ sources: [await openSource(list)] });
    const found = await other.client.rows({ source: id(), sort: 'verdict' });
    expect(found.rows.map(r => [r.image, r.verdict])).toEqual([
      ['cat.png', 'right'],
      ['more.png', 'unsure'],
      ['gone.png', undefined],
      ['../outside.png', undefined],
    ]);
    expect(found.rows[0].state).toBe('done');
    expect((await other.client.rows({ source: id(), filter: { verdict: 'none' } })).total).toBe(2);
  });

  it('reads a list again that has grown; rows keep their keys and verdicts', async () => {
    const { client } = studio;
    const before = (await client.rows({ source: id() })).rows;
    writeFileSync(list, readFileSync(list, 'utf8').replace('more.png', 'new.png,a rocket,west,\nmore.png'));
    const { rows } = await client.rows({ source: id() });
    expect(rows.map(r => [r.line, r.image, r.state])).toEqual([
      [2, 'cat.png', 'done'],
      [3, 'new.png', 'open'],
      [4, 'more.png', 'done'],
      [5, 'gone.png', 'failed'],
      [6, '../outside.png', 'done'],
    ]);
    expect(rows[2]).toMatchObject({ key: before[1].key, verdict: 'unsure' });
  });

  it('shows no picture outside of the folder of the list, unless that was allowed', async () => {
    const { client } = studio;
    const { rows } = await client.rows({ source: id() });
    const outside = rows.find(r => r.image === '../outside.png')!;
    await expect(client.row(id(), outside.key)).rejects.toMatchObject({ reason: 'input', message: expect.stringContaining('--pictures') });
    expect((await client.thumbnail(id(), rows[0].key)).type).toMatch(/^image\/(webp|png|jpeg)$/);
    await using allowed = await testStudio({ sources: [source], pictureFolders: [folder] });
    expect((await allowed.client.row(id(), outside.key)).picture.width).toBe(96);
    // A link in the folder that leads out of it is outside, too.
    symlinkSync(join(folder, 'outside.png'), join(data, 'link.png'));
    writeFileSync(join(data, 'links.jsonl'), '{"image":"link.png","text":"a cat"}\n');
    const links = await openSource(join(data, 'links.jsonl'));
    await using linked = await testStudio({ sources: [links] });
    const [row] = (await linked.client.rows({ source: links.info.id })).rows;
    await expect(linked.client.row(links.info.id, row.key)).rejects.toMatchObject({ reason: 'input' });
    await expect(linked.client.thumbnail(links.info.id, row.key)).rejects.toMatchObject({ reason: 'input' });
  });
});

/** The folder of the audit. */
const cellsFolder = (): string =>
  readdirSync(join(data, 'pairs.audit')).find(name => name.startsWith('input-x-gradient') && !name.endsWith('.json'))!;

describe('sources', () => {
  it('are told apart by what they hold', async () => {
    const place = join(folder, 'kinds');
    mkdirSync(place);
    const made = (name: string, files: Record<string, string>): string => {
      const path = join(place, name);
      mkdirSync(path);
      for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
      return path;
    };
    const kind = async (path: string) => (await openSource(path)).info.kind;
    expect(await kind(made('compare', { 'results.json': '{"schemaVersion":2,"methods":[],"metrics":[]}' }))).toBe('comparison');
    expect(await kind(join(place, 'compare', 'results.json'))).toBe('comparison');
    expect(await kind(made('evaluate', { 'run.json': '{}' }))).toBe('evaluation');
    const texts = made('texts', { 'b.txt': ' a cat \n', 'c.txt': 'alone' });
    for (const name of ['a.png', 'b.png']) copyFileSync(scene, join(texts, name));
    const folderSource = await openSource(texts);
    expect(await describeSource(folderSource)).toMatchObject({ kind: 'pairs', count: 1 });
    const listed = await openSource(
      made('listed', { 'metadata.jsonl': '{"file_name":"x.png","text":"a"}\n{"file_name":"y.png","text":"b"}\n' }),
    );
    expect(await describeSource(listed)).toMatchObject({ kind: 'pairs', count: 2 });
    expect((await describeSource(await openSource(made('empty', {})))).problem).toMatch(/holds no list of pairs/);
    await expect(openSource(join(place, 'nowhere'))).rejects.toThrow(/does not exist; check the path after --data/);
  });
});

describe('ten thousand rows', () => {
  const rows = Array.from(
    { length: 10_000 },
    (_, i): AuditRow => ({
      key: `${i}`,
      line: i + 1,
      image: `${i % 97}.png`,
      caption: `caption ${(i * 7919) % 10_000}`,
      state: i % 10 === 3 ? 'failed' : i % 10 === 4 ? 'open' : 'done',
      further: { ward: i % 2 ? 'north' : 'south' },
      ...(i % 10 === 3 || i % 10 === 4 ? {} : { cosine: ((i * 7919) % 10_000) / 10_000 }),
    }),
  );
  const page = (query: object) => pageOf(rows, rowsQuery.parse({ source: 'x', ...query }));

  it('are sorted with what is undefined at the end, filtered, and cut', () => {
    const [up, down] = [page({ sort: 'cosine', count: 3 }), page({ sort: 'cosine', descending: true, count: 3 })];
    expect(up.rows[0].cosine).toBeLessThan(up.rows[1].cosine!);
    expect(down.rows[0].cosine).toBeGreaterThan(down.rows[1].cosine!);
    expect(page({ sort: 'cosine', from: 9_999, count: 1 }).rows[0].cosine).toBeUndefined();
    expect(page({ sort: 'cosine', descending: true, from: 9_999, count: 1 }).rows[0].cosine).toBeUndefined();
    expect(page({ filter: { state: 'failed' } })).toMatchObject({ total: 1000, all: 10_000 });
    expect(page({ filter: { text: 'NORTH', state: 'failed' } }).total).toBe(1000);
    expect(page({ filter: { text: 'caption 12' } }).rows.every(r => r.caption.includes('caption 12'))).toBe(true);
    expect(page({ from: 9_998, count: 50 }).rows.map(r => r.line)).toEqual([9_999, 10_000]);
    const began = performance.now();
    for (let i = 0; i < 5; i++) page({ sort: 'caption', filter: { text: 'caption' } });
    expect((performance.now() - began) / 5).toBeLessThan(1_000);
  });
});

describe('the command of an audit', () => {
  it('has every option as a flag, and no value can be taken for one', () => {
    const options = { steps: 3, antithetic: false, official: true, layer: -1, percentiles: [1, 2], text: '--output=/etc' };
    const args = auditArguments(
      { model: '--config=x', source: 's', method: { name: 'm2ib', options }, modality: 'image', seed: 7 },
      'list.csv',
      'out',
    );
    expect(args).toEqual([
      ...['attribute', '--pairs=list.csv', '--output=out', '--model=--config=x', '--method=m2ib', '--modality=image', '--seed=7'],
      ...['--formats=json', '--json', '--quiet', '--steps=3', '--no-antithetic', '--official', '--layer=-1', '--percentiles=1,2'],
      '--text=--output=/etc',
    ]);
  });
});

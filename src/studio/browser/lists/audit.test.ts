/** @file Audits of the page in Chromium: the maps of the library, failures, stopping and going on, verdicts that outlast the page, JSON lines. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMethod, decodeImage, loadModel } from '../../../index.ts';
import { ask, browserHere, CLIP_FILES, type Session, startSession } from '../../../web/testing/session.ts';
import type { AuditDetail, AuditRow, RowsPage, SourceInfo } from '../../facts.ts';
import type { StudioEvent } from '../../protocol.ts';

const SLOW = 600_000;
const repository = new URL('../../../../', import.meta.url);
const night = createHash('sha256')
  .update(readFileSync(new URL('examples/studio/night.png', repository)))
  .digest('hex');
const model = { id: 'scene-clip', name: 'scene-clip', origin: 'shipped', place: '/models/scene-clip/', files: CLIP_FILES, bytes: 1e7 };
const SETTINGS = {
  models: [{ ...model, kind: 'dual-encoder' }],
  examples: [
    {
      ...{ id: 'night', caption: 'a moon', address: '/examples/studio/night.png' },
      picture: { id: night, name: 'night.png', width: 448, height: 448, warnings: [] },
    },
  ],
};
const LIST = `image,text,box
a.png,a cat and an umbrella,"[0,0,48,96]"
b.png,a moon and a wolf,
gone.png,a rocket,
words.png,a rocket,
`;
const FILES = [
  { path: 'ward/pairs.csv', text: LIST },
  { path: 'ward/a.png', address: '/examples/scene.png' },
  { path: 'ward/b.png', address: '/examples/studio/night.png' },
  { path: 'ward/words.png', text: 'Dear Sir or Madam' },
];
const METHOD = { name: 'input-x-gradient', options: {} };

describe.skipIf(!browserHere)('an audit in the page', () => {
  let session: Session;
  let page: Page;
  let said: string[];
  let source: SourceInfo;
  const call = <T>(name: string, ...argument: unknown[]) => ask<T>(page, 'studio', 'call', { name, argument });
  const stream = async (argument: object, more: object = {}): Promise<readonly StudioEvent[]> =>
    (await ask<{ events: readonly StudioEvent[] }>(page, 'studio', 'stream', { name: 'audit', argument, ...more })).events;
  const rows = async (query: object = {}): Promise<readonly AuditRow[]> =>
    (await call<RowsPage>('rows', { source: source.id, ...query })).rows;
  const done = (events: readonly StudioEvent[]) => events.flatMap(event => (event.kind === 'rows' ? [event.done] : []));
  const request = () => ({ model: 'scene-clip', source: source.id, method: METHOD });
  beforeAll(async () => {
    session = await startSession();
    ({ page, said } = await session.open());
    await ask(page, 'studio', 'begin', SETTINGS);
    await ask(page, 'studio', 'stream', { name: 'open', argument: { reference: 'scene-clip' } });
    source = await call<SourceInfo>('openList', FILES);
  }, SLOW);
  afterAll(() => session?.close());

  it('shows the list before anything is computed, and refuses what is none', async () => {
    expect(source).toMatchObject({ kind: 'pairs', name: 'ward/pairs.csv', count: 4 });
    expect(source.warnings).toBeUndefined();
    expect(await call('sources')).toEqual([source]);
    expect((await rows()).map(row => [row.line, row.image, row.state])).toEqual([
      [2, 'a.png', 'open'],
      [3, 'b.png', 'open'],
      [4, 'gone.png', 'open'],
      [5, 'words.png', 'open'],
    ]);
    expect(await call('openList', FILES.slice(1))).toMatchObject({
      rejected: 'input',
      message: expect.stringContaining('no list of pairs'),
    });
    expect(await call('rows', { source: 'stranger' })).toMatchObject({ rejected: 'missing' });
    expect((await stream({ ...request(), model: 'no-such' })).at(-1)).toMatchObject({ kind: 'failure', reason: 'usage' });
    expect((await stream({ ...request(), method: { name: 'posterior' } })).at(-1)).toMatchObject({ kind: 'failure', reason: 'usage' });
    expect((await rows()).every(row => row.state === 'open')).toBe(true);
  });

  it(
    'stops when it is told to, goes on from there, and has the maps of the library',
    async () => {
      const stopped = await stream(request(), { cancelAt: 'rows', after: 2 });
      expect(stopped.at(-1)).toMatchObject({ kind: 'failure', reason: 'cancelled' });
      const before = await rows();
      expect(before.filter(row => row.state === 'done').length).toBeGreaterThan(0);
      expect(before.filter(row => row.state === 'open').length).toBeGreaterThan(0);
      const events = await stream(request());
      expect(events.at(-1)).toEqual(expect.objectContaining({ kind: 'done' }));
      // What was done before is not computed again.
      expect(done(events)[0]).toBe(done(stopped).at(-1));
      expect(events.filter(({ kind }) => kind === 'rows').at(-1)).toMatchObject({ done: 2, failed: 2, total: 4 });
      const all = await rows();
      expect(all.map(row => row.state)).toEqual(['done', 'done', 'failed', 'failed']);
      expect([all[2].failure, all[3].failure]).toEqual([
        expect.stringContaining('gone.png is not among the chosen files'),
        expect.stringMatching(/words\.png/),
      ]);
      await using clip = await loadModel('scene-clip');
      await using method = createMethod('input-x-gradient', clip);
      for (const [row, file] of [
        [all[0], 'examples/scene.png'],
        [all[1], 'examples/studio/night.png'],
      ] as const) {
        const own = await method.attribute({ image: await decodeImage(new URL(file, repository).pathname), text: row.caption });
        expect(row.cosine).toBeCloseTo(own.cosine, 5);
        const { map, words, picture } = await call<AuditDetail>('row', source.id, row.key);
        expect(map).toMatchObject({ unit: 'score', grid: own.image!.grid, view: own.image!.view });
        expect(picture.id).toMatch(/^[0-9a-f]{64}$/);
        const largest = Math.max(...own.image!.patches.map(Math.abs));
        for (const [i, value] of own.image!.patches.entries()) expect(Math.abs(map!.patches[i] - value)).toBeLessThan(1e-4 * largest);
        expect(words!.map(({ text }) => text)).toEqual(own.text!.words.map(({ text }) => text));
        const loudest = Math.max(...own.text!.words.map(({ value }) => Math.abs(value)));
        for (const [i, word] of own.text!.words.entries()) expect(Math.abs(words![i].value - word.value)).toBeLessThan(1e-4 * loudest);
        if (row !== all[0]) continue;
        // The box is the left half of the picture.
        const positive = own.image!.patches.map(value => Math.max(0, value));
        const [, columns] = own.image!.grid;
        const sum = (values: Float32Array): number => values.reduce((a, b) => a + b, 0);
        const left = positive.filter((_, i) => i % columns < columns / 2);
        expect(row.insideBox).toBeCloseTo(sum(left) / sum(positive), 1);
      }
      expect(all[1].insideBox).toBeUndefined();
      expect(await call('thumbnail', source.id, all[0].key)).toMatchObject({ type: expect.stringMatching(/^image\/(png|jpeg)$/) });
      expect(await call('row', source.id, all[2].key)).toMatchObject({ rejected: 'input' });
    },
    SLOW,
  );

  it(
    'lets a person ask in between',
    async () => {
      const asked = { model: 'scene-clip', picture: night, text: 'a moon', methods: [{ name: 'uniform' }] };
      const slow = { ...request(), method: { name: 'm2ib', options: { steps: 60 } } };
      const at = await page.evaluate(
        async ([audit, attribute]) => {
          const run = async (name: string, argument: unknown) => {
            await window.ask('studio' as 'page', 'stream', { name, argument });
            return performance.now();
          };
          const auditing = run('audit', audit);
          await new Promise(resolve => setTimeout(resolve, 50));
          return { person: await run('attribute', attribute), audit: await auditing };
        },
        [slow, asked] as const,
      );
      expect(at.person).toBeLessThan(at.audit);
      expect((await rows()).map(row => row.state)).toEqual(['done', 'done', 'failed', 'failed']);
      expect((await rows())[0].imageBits).toBeGreaterThan(0);
      // The audit before is there at once.
      expect(done(await stream(request()))[0]).toBe(2);
    },
    SLOW,
  );

  it(
    'keeps verdicts in the browser: they are there when the same files are chosen again in a new page, and only for them',
    async () => {
      const [first, second] = await rows();
      await call('verdict', { source: source.id, row: first.key, verdict: 'right' });
      await call('verdict', { source: source.id, row: second.key, verdict: 'wrong', note: 'the </script> frame' });
      await call('verdict', { source: source.id, row: second.key, verdict: 'unsure', note: 'the </script> frame' });
      expect(await call('verdict', { source: source.id, row: 'stranger', verdict: 'right' })).toMatchObject({ rejected: 'missing' });
      expect((await rows({ sort: 'verdict' })).map(row => row.verdict)).toEqual(['right', 'unsure', undefined, undefined]);
      expect((await rows({ filter: { verdict: 'none' } })).map(row => row.line)).toEqual([4, 5]);
      const { type, bytes } = await call<{ type: string; bytes: Record<string, number> }>('exportAudit', source.id);
      expect(type).toBe('application/x-ndjson');
      const lines = new TextDecoder()
        .decode(Uint8Array.from(Object.values(bytes)))
        .trim()
        .split('\n')
        .map(line => JSON.parse(line));
      expect(lines.map(line => [line.image, line.state, line.method, line.verdict, line.note])).toEqual([
        ['a.png', 'done', 'input-x-gradient', 'right', undefined],
        ['b.png', 'done', 'input-x-gradient', 'unsure', 'the </script> frame'],
        ['gone.png', 'failed', 'input-x-gradient', undefined, undefined],
        ['words.png', 'failed', 'input-x-gradient', undefined, undefined],
      ]);
      expect(lines[0].cosine).toBe(first.cosine);
      await page.reload();
      await page.waitForFunction(() => document.title === 'ready');
      await ask(page, 'studio', 'begin', SETTINGS);
      await ask(page, 'studio', 'stream', { name: 'open', argument: { reference: 'scene-clip' } });
      expect(await call('openList', FILES)).toEqual(source);
      expect((await rows()).map(row => row.state)).toEqual(['open', 'open', 'open', 'open']);
      expect((await stream(request())).at(-1)).toMatchObject({ kind: 'done' });
      expect((await rows()).map(row => [row.verdict, row.note])).toEqual([
        ['right', undefined],
        ['unsure', 'the </script> frame'],
        [undefined, undefined],
        [undefined, undefined],
      ]);
      // Another picture of the same name with the same caption was not judged.
      source = await call<SourceInfo>('openList', [FILES[0], { ...FILES[1], address: '/examples/studio/night.png' }, ...FILES.slice(2)]);
      await stream(request());
      expect((await rows()).map(row => row.verdict)).toEqual([undefined, 'unsure', undefined, undefined]);
      expect(said).toEqual([]);
    },
    SLOW,
  );
});

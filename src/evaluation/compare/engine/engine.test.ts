import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findMethod } from '../../../attribution/registry.ts';
import type { DualEncoder } from '../../../models/dual-encoder.ts';
import { lockOutput } from '../../../node/output-lock.ts';
import { RandomStream } from '../../../tensor/random.ts';
import { areaUnder } from '../../metrics/ranking.ts';
import { findMetric } from '../../metrics/registry.ts';
import { collect } from '../collect.ts';
import { runComparison } from '../comparison.ts';
import { openSource } from '../data/open.ts';
import type { SampleSource } from '../data/sample.ts';
import { styleGroups } from '../data/scenes.ts';
import { type Choice, type CompareSpec, methodSettings, metricSettings } from '../settings.ts';
import { blocksOf } from './blocks.ts';
import { loadModel } from './load-model.ts';
import { survey } from './survey.ts';

const plain = (name: string): Choice => ({ label: name, name, options: {} });
const METHODS = ['rollout', 'random', 'legrad'].map(plain);
const TUNED: Choice = { label: 'm2ib@short', name: 'm2ib', options: { steps: 2 } };
/** Of every need one. */
const METRICS: Choice[] = [
  ...['pointing-game', 'average-drop', 'entropy', 'forward-passes'].map(plain),
  { label: 'sensitivity', name: 'max-sensitivity', options: { samples: 1 } },
  { label: 'cascade', name: 'parameter-randomisation', options: { depth: 1 } },
];

let folder: string;
let model: DualEncoder;
let source: SampleSource;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'narrows-compare-'));
  model = await loadModel('scene-clip');
  source = await openSource(specOf('').data);
});
afterAll(async () => {
  await model.release();
  await rm(folder, { recursive: true, force: true });
});

function specOf(directory: string, methods: readonly Choice[] = [...METHODS, TUNED]): CompareSpec {
  const data = { kind: 'scenes', groups: styleGroups(['noto']), samples: 3, modalities: ['image', 'text'], seed: 5 } as const;
  return {
    model: 'scene-clip',
    methods,
    metrics: METRICS,
    data,
    seed: 5,
    seeds: 2,
    robustnessSamples: 1,
    robustnessPasses: 300,
    directory: join(folder, directory),
  };
}

/** Everything that a cache says but times. */
async function contents(spec: CompareSpec): Promise<unknown> {
  const maps: unknown[] = [];
  for await (const { record, sample } of survey(spec, source, model))
    for (const { key, label } of methodSettings(spec.methods))
      for (const seed of [5, 6]) maps.push([sample.id, label, seed, record.map(key, seed)?.map.join()]);
  const kinds = await collect(spec, source, model);
  return { maps, kinds: kinds.map(({ cost: _, metricSeconds: __, ...rest }) => rest) };
}

describe('a comparison', () => {
  it('is the same in threads, and when it was stopped anywhere and gone on', async () => {
    const whole = specOf('whole');
    await runComparison(whole, source, model, { workers: 0 });
    const expected = await contents(whole);
    const kinds = await collect(whole, source, model);
    expect(kinds.map(k => [k.modality, k.pairs.length])).toEqual([
      ['image', 3],
      ['text', 3],
    ]);
    expect(kinds[1].skipped).toHaveProperty('legrad');

    const threads = specOf('threads');
    await runComparison(threads, source, model, { workers: 2 });
    expect(await contents(threads)).toEqual(expected);

    const stopped = specOf('stopped');
    const reader = new RandomStream(9, 'test.stops').reader(0, 0);
    for (let stop = 0; stop < 3; stop++) {
      const controller = new AbortController();
      let left = 1 + reader.integer(6);
      const run = runComparison(stopped, source, model, {
        workers: stop % 2,
        signal: controller.signal,
        onProgress: () => {
          if (--left === 0) controller.abort(new Error('enough'));
        },
      });
      await run.catch(error => expect(error.message).toBe('enough'));
    }
    await runComparison(stopped, source, model, { workers: 0 });
    expect(await contents(stopped)).toEqual(expected);
    expect((await readdir(stopped.directory)).sort()).toEqual(['cells.jsonl', 'comparison.json']);
  });

  it('keeps the curves whose areas insertion and deletion are', async () => {
    const spec = { ...specOf('curves', ['rollout', 'm2ib'].map(plain)), metrics: ['insertion', 'deletion'].map(plain) };
    await runComparison(spec, source, model, { workers: 0 });
    let seen = 0;
    for await (const { record } of survey(spec, source, model))
      for (const { key, label } of methodSettings(spec.methods)) {
        const curves = record.curves(key);
        if (!curves) continue;
        seen++;
        for (const { key: metric, label: name } of metricSettings(spec.metrics)) {
          const area = areaUnder(curves[name as 'insertion' | 'deletion']);
          expect(record.value(key, metric, 5), `${label} ${name}`).toBeCloseTo(area, 2);
        }
        // From nobody to everybody, and back.
        expect(curves.insertion[0]).toBeCloseTo(curves.deletion.at(-1)!, 5);
        expect(curves.insertion.at(-1)).toBeCloseTo(curves.deletion[0], 5);
        expect(curves.insertion[0]).not.toBeCloseTo(curves.deletion[0], 3);
      }
    expect(seen).toBe(12);
  });

  it('computes nothing twice, and only what a new method adds', async () => {
    const spec = specOf('grown', METHODS);
    await runComparison(spec, source, model, { workers: 0 });
    const read = async () =>
      (await readFile(join(spec.directory, 'cells.jsonl'), 'utf8')).split('\n').filter(line => line.includes('"key"'));
    const before = await read();
    const starts: number[] = [];
    const onStart = (done: number): void => void starts.push(done);
    await runComparison(spec, source, model, { workers: 0, onStart });
    expect(await read()).toEqual(before);

    const grown = specOf('grown');
    await runComparison(grown, source, model, { workers: 0, onStart });
    expect(starts).toEqual([6, 0]);
    const key = methodSettings([TUNED])[0].key;
    const after = await read();
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.length).toBeGreaterThan(before.length);
    for (const line of after.slice(before.length)) expect(JSON.parse(line).key).toContain(`/${key}/`);
  });

  it('keeps a metric that failed as a failure, leaves the pair out, and tries again', async () => {
    const failing = vi.spyOn(findMetric('entropy')!, 'evaluate').mockRejectedValueOnce(new Error('out of memory'));
    const spec = specOf('failing', METHODS);
    const warnings: string[] = [];
    await runComparison(spec, source, model, { workers: 0, onWarning: m => warnings.push(m) });
    failing.mockRestore();
    expect(warnings.filter(m => m.includes('entropy'))).toEqual([
      expect.stringMatching(/^entropy of rollout failed on .*: out of memory$/),
    ]);
    const [image] = await collect(spec, source, model);
    expect(image.metricFailures).toEqual({ entropy: { rollout: { pairs: 1, reason: 'out of memory' } } });
    expect(image.values.entropy.rollout.map(seeds => seeds.length)).toEqual([0, 1, 1]);
    expect(image.pairs).toHaveLength(3);
    const starts: number[] = [];
    await runComparison(spec, source, model, { workers: 2, onStart: done => void starts.push(done) });
    expect(starts).toEqual([5]);
    const [again] = await collect(spec, source, model);
    expect([again.metricFailures, again.values.entropy.rollout.map(seeds => seeds.length)]).toEqual([{}, [1, 1, 1]]);
    expect(again.values.entropy.rollout[0][0]).toBeGreaterThan(0);
  });

  it('tries the pairs of a batch that failed one by one, so that only the bad one has no map', async () => {
    const entry = findMethod('rollout')!;
    const explain = entry.explain as (...given: unknown[]) => Promise<unknown>;
    const sizes: number[] = [];
    const failing = vi.spyOn(entry as { explain: typeof explain }, 'explain').mockImplementation(async (run, options) => {
      const { hidden } = (run as { image: { hidden: { shape: number[] } } }).image;
      sizes.push(hidden.shape[0]);
      if (hidden.shape[0] > 1 || sizes.length === 3) throw new Error('out of memory');
      return explain.call(entry, run, options);
    });
    const base = specOf('bad-pair', [plain('rollout')]);
    const spec = { ...base, metrics: [plain('entropy')], data: { ...base.data, modalities: ['image'] as const } };
    const images = await openSource(spec.data);
    const warnings: string[] = [];
    await runComparison(spec, images, model, { workers: 0, onWarning: m => warnings.push(m) });
    failing.mockRestore();
    // Three at once, then each, of which one is bad. What follows measures the time.
    expect(sizes.slice(0, 4)).toEqual([3, 1, 1, 1]);
    expect(warnings.filter(m => m.includes('out of memory'))).toEqual([expect.stringMatching(/^rollout failed on .*: out of memory$/)]);
    const { key } = methodSettings(spec.methods)[0];
    const reasons: (string | undefined)[] = [];
    for await (const { record } of survey(spec, images, model)) reasons.push(record.hasMap(key, 5) ? undefined : record.failure(key, [5]));
    expect(reasons).toHaveLength(3);
    expect(reasons.filter(reason => reason !== undefined)).toEqual(['out of memory']);
  });

  it('times a block once, warm where it can, and asks for stability only where seeds matter', async () => {
    const spec = {
      ...specOf('timed', ['rollout', 'm2ib'].map(plain)),
      metrics: ['seconds', 'forward-passes', 'seed-stability'].map(plain),
    };
    // A clock of the test's own: on a busy machine a first run takes so long that it is not worth another for its time.
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 0.1));
    await runComparison(spec, source, model, { workers: 0 }).finally(() => clock.mockRestore());
    const [image] = await collect(spec, source, model);
    // Three pairs of one block: one figure per seed, on the first of them; counts of passes stand for every pair.
    expect(image.values.seconds.rollout.map(seeds => seeds.length)).toEqual([1, 0, 0]);
    expect(image.values.seconds.m2ib.map(seeds => seeds.length)).toEqual([2, 0, 0]);
    expect(image.values['forward-passes'].m2ib.map(seeds => seeds.length)).toEqual([2, 2, 2]);
    expect(image.values['seed-stability'].rollout.every(seeds => seeds.length === 0)).toBe(true);
    expect(image.values['seed-stability'].m2ib.some(seeds => seeds.length === 1)).toBe(true);
    const { seconds, range, measurements } = image.cost.m2ib;
    expect(measurements).toBe(2);
    expect(range![0]).toBeGreaterThan(0);
    expect(range![0] <= seconds && seconds <= range![1]).toBe(true);
    expect([...range!].sort((a, b) => a - b)).toEqual([...image.values.seconds.m2ib[0]].sort((a, b) => a - b));
  });

  it('does not go into a directory of another process, nor into one of an older version', async () => {
    const spec = specOf('taken', METHODS);
    await using _ = await lockOutput(spec.directory);
    await expect(runComparison(spec, source, model, { workers: 0 })).rejects.toThrow(/taken is in use by/);
    const old = specOf('old', METHODS);
    await mkdir(join(old.directory, 'cache'), { recursive: true });
    await expect(runComparison(old, source, model, { workers: 0 })).rejects.toThrow(/old holds a comparison of an older version/);
    await expect(collect(old, source, model)).rejects.toThrow(/older version/);
  });

  it('leaves out what is limited', async () => {
    const limited = specOf('limited', [
      { ...METHODS[0], pairs: 1 },
      { ...TUNED, seeds: 1 },
    ]);
    await runComparison(limited, source, model, { workers: 0 });
    const counts: number[][] = [];
    for await (const { record } of survey(limited, source, model))
      counts.push(methodSettings(limited.methods).map(({ key }) => [5, 6].filter(seed => record.hasMap(key, seed)).length));
    expect(counts).toEqual([
      [1, 1],
      [0, 1],
      [0, 1],
      [1, 1],
      [0, 1],
      [0, 1],
    ]);
  });
});

describe('blocks', () => {
  it('hold one group and modality each, in turn', () => {
    const names = ['a', 'b'].flatMap(group => Array.from({ length: 5 }, (_, i) => ({ id: `${i}`, group, modality: 'image' as const })));
    expect(blocksOf(names, 3)).toEqual([
      [0, 1, 2],
      [5, 6, 7],
      [3, 4],
      [8, 9],
    ]);
  });
});

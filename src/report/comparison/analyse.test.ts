import { describe, expect, it } from 'vitest';
import type { ComparisonResults, ResultMetric } from '../../evaluation/compare/results.ts';
import { NarrowsError } from '../../system/errors.ts';
import { RandomStream } from '../../tensor/random.ts';
import { clusterBootstrap } from '../../tensor/statistics/cluster-bootstrap.ts';
import { mean } from '../../tensor/statistics/descriptive.ts';
import { holm } from '../../tensor/statistics/holm.ts';
import { wilcoxon } from '../../tensor/statistics/wilcoxon.ts';
import { analyse } from './analyse.ts';
import { byCategory } from './by-category.ts';

const nan = Number.NaN;
const metric = (name: string, direction: ResultMetric['direction'], category: ResultMetric['category'] = 'faithfulness'): ResultMetric => ({
  name,
  title: name,
  category,
  direction,
  unit: 'share',
  reading: `${name} says.`,
});
const FAMILY = { ref: 'bottleneck', a: 'gradient', b: 'gradient', c: 'control' } as const;

/** A comparison of ref, a, b and c over one part; metrics' values by method. */
function toy(metrics: readonly ResultMetric[], values: Record<string, Record<string, number[][]>>, pairs: number): ComparisonResults {
  return {
    schemaVersion: 2,
    model: { name: 'toy', sha256: '00' },
    data: { name: 'toy', samples: pairs },
    seeds: [0, 1],
    reference: 'ref',
    methods: (['ref', 'a', 'b', 'c'] as const).map(name => ({ name, title: name, family: FAMILY[name], options: {} })),
    metrics,
    parts: [
      {
        group: 'toy',
        modality: 'image',
        pairs: Array.from({ length: pairs }, (_, i) => ({ id: String(i), caption: '' })),
        values,
        curves: {},
        cost: {},
        gallery: [],
      },
    ],
    provenance: {},
  };
}
const table = (results: ComparisonResults, name: string) => analyse(results).parts[0].tables.find(t => t.metric.name === name)!;
const row = (results: ComparisonResults, name: string, method: string) => table(results, name).rows.find(r => r.method === method)!;

/** Ten pairs; a is 0.1 above ref on each, b goes up and down by 0.2, c is far below. */
const level = [0.5, 0.6, 0.4, 0.7, 0.55, 0.45, 0.65, 0.35, 0.5, 0.6];
const ten = {
  ref: level.map(v => [v - 0.1, v + 0.1]),
  a: level.map(v => [v + 0.1]),
  b: level.map((v, i) => [v + (i % 2 ? 0.2 : -0.2)]),
  c: level.map(v => [v - 0.5 + 0.02 * v]),
};

describe('analyse', () => {
  const results = toy([metric('m', 'higher'), metric('less', 'lower'), metric('any', 'none')], { m: ten, less: ten, any: ten }, 10);

  it('averages seeds within a pair, pairs with an interval', () => {
    const found = row(results, 'm', 'ref');
    expect(found.value.estimate).toBeCloseTo(mean(level), 12);
    expect(found.value.low).toBeLessThan(found.value.estimate);
    expect(found.value.high).toBeGreaterThan(found.value.estimate);
    // Two seeds 0.2 apart: a standard deviation of 0.2/√2.
    expect(found.seedSpread).toBeCloseTo(0.2 / Math.SQRT2, 12);
    expect(row(results, 'm', 'a')).toMatchObject({ seeds: 1, seedSpread: nan, pairs: 10, nanCount: 0 });
  });

  it('holds methods against the reference on pairs, corrected over methods', () => {
    const { a, b, c } = Object.fromEntries(['a', 'b', 'c'].map(name => [name, row(results, 'm', name).toReference!]));
    expect(a.difference).toMatchObject({ estimate: expect.closeTo(0.1, 12), low: expect.closeTo(0.1, 9), high: expect.closeTo(0.1, 9) });
    // All ten of one sign: two patterns of 1024; b's rank sums are equal.
    expect(a.signFlip).toBe(2 / 1024);
    expect(a.wilcoxon).toBeCloseTo(2 / 1024, 12);
    expect(b.signFlip).toBe(1);
    expect([a, b, c].map(t => t.signFlipHolm)).toEqual(holm([a, b, c].map(t => t.signFlip)));
    expect([a, b, c].map(t => t.wilcoxonHolm)).toEqual(holm([a, b, c].map(t => t.wilcoxon)));
    expect([a.verdict, b.verdict, c.verdict]).toEqual(['better', 'alike', 'worse']);
    expect(a.effect).toMatchObject({ wins: 10, losses: 0, rankBiserial: 1 });
    expect(row(results, 'm', 'ref').toReference).toBeUndefined();
    expect(wilcoxon(level.map((_, i) => (i % 2 ? 0.2 : -0.2))).pValue).toBe(1);
  });

  it('ranks in the direction of the metric, or not at all', () => {
    const ranksOf = (name: string) => Object.fromEntries(table(results, name).rows.map(r => [r.method, r.rank]));
    expect(ranksOf('m')).toEqual({ ref: expect.any(Number), a: 1, b: expect.any(Number), c: 4 });
    expect(ranksOf('less')).toMatchObject({ c: 1, a: 4 });
    expect(table(results, 'less').best).toBe('c');
    expect(row(results, 'less', 'a').toReference?.verdict).toBe('worse');
    expect(ranksOf('any')).toEqual({ ref: undefined, a: undefined, b: undefined, c: undefined });
    expect(table(results, 'any').best).toBeUndefined();
    expect(row(results, 'any', 'a').toReference?.verdict).toBe('unknown');
  });

  it('says which do not differ from the best', () => {
    expect(row(results, 'm', 'a').best).toBe(true);
    expect(row(results, 'm', 'b').toBest?.verdict).toBe('alike');
    expect(row(results, 'm', 'ref').toBest?.verdict).toBe('worse');
  });

  it('mean place: 0 for always best, 1 for always last', () => {
    const { meanRank } = analyse(toy([metric('m', 'higher')], { m: ten }, 10)).parts[0];
    expect([meanRank.a, meanRank.c]).toEqual([0, 1]);
    // Complexity does not count beside faithfulness.
    const mixed = toy([metric('m', 'higher'), metric('x', 'lower', 'complexity')], { m: ten, x: ten }, 10);
    expect(analyse(mixed).parts[0].meanRank).toEqual(meanRank);
  });

  it('leaves out of the mean place who lacks one of its metrics', () => {
    const some = Object.fromEntries(Object.entries(ten).filter(([name]) => name !== 'a'));
    const { meanRank } = analyse(toy([metric('m', 'higher'), metric('n', 'higher')], { m: ten, n: some }, 10)).parts[0];
    expect(Object.keys(meanRank).sort()).toEqual(['b', 'c', 'ref']);
    expect(meanRank.c).toBe(1);
  });

  it('repeats exactly', () => {
    expect(analyse(results)).toEqual(analyse(results));
  });
});

describe('what may be missing', () => {
  it('a metric that is NaN throughout', () => {
    const none = level.map(() => [nan, nan]);
    const results = toy([metric('m', 'higher'), metric('void', 'higher')], { m: ten, void: { ref: none, a: none, b: none, c: none } }, 10);
    expect(table(results, 'void').best).toBeUndefined();
    expect(row(results, 'void', 'a')).toMatchObject({ pairs: 0, undefinedPairs: 10, nanCount: 20, rank: undefined, best: false });
    expect(row(results, 'void', 'a').value.estimate).toBeNaN();
    expect(row(results, 'void', 'a').toReference).toMatchObject({ pairs: 0, signFlip: nan, verdict: 'unknown' });
    expect(row(results, 'm', 'a').toReference?.verdict).toBe('better');
  });

  it('single NaN: seeds and pairs are left out, and counted', () => {
    const holes = { ...ten, a: level.map((v, i) => (i === 0 ? [nan, v + 0.1] : i === 1 ? [nan, nan] : [v + 0.1, v + 0.1])) };
    const found = row(toy([metric('m', 'higher')], { m: holes }, 10), 'm', 'a');
    expect(found).toMatchObject({ nanCount: 3, pairs: 9, undefinedPairs: 1, partial: false });
    expect(found.toReference).toMatchObject({ pairs: 9, difference: { estimate: expect.closeTo(0.1, 12) } });
  });

  it('a method judged on few pairs is compared on them, but not ranked', () => {
    const few = { ...ten, a: level.map((v, i) => (i < 6 ? [v + 0.1] : [])) };
    const results = toy([metric('m', 'higher')], { m: few }, 10);
    expect(row(results, 'm', 'a')).toMatchObject({ partial: true, rank: undefined, best: false, pairs: 6, undefinedPairs: 0 });
    expect(row(results, 'm', 'a').toReference?.pairs).toBe(6);
    expect(table(results, 'm').best).not.toBe('a');
  });

  it('clusters of pairs: as many observations as there are clusters', () => {
    const plain = toy([metric('m', 'higher')], { m: ten }, 10);
    const cluster = level.map((_, i) => `picture ${i >> 1}`);
    const pairs = plain.parts[0].pairs.map((pair, i) => ({ ...pair, cluster: cluster[i] }));
    const clustered = { ...plain, parts: [{ ...plain.parts[0], pairs }] };
    const [one, all] = [row(clustered, 'm', 'ref'), row(plain, 'm', 'ref')];
    expect(one).toMatchObject({ pairs: 10, value: { estimate: expect.closeTo(all.value.estimate, 12) } });
    const random = new RandomStream(0, 'report bootstrap');
    const means = ten.ref.map(seeds => mean(seeds));
    const { low, high } = clusterBootstrap(means, cluster, { random, weigh: 'clusters' });
    expect(one.value).toMatchObject({ low: expect.closeTo(low, 9), high: expect.closeTo(high, 9) });
    // Five observations: two patterns of 32; b's ups and downs cancel within each cluster.
    expect(row(clustered, 'm', 'a').toReference).toMatchObject({ signFlip: 2 / 32, pairs: 10, verdict: 'alike' });
    expect(row(clustered, 'm', 'b').toReference?.difference.estimate).toBeCloseTo(0, 12);
  });

  it('ties share the first place', () => {
    const results = toy([metric('m', 'higher')], { m: { ref: ten.c, a: ten.a, b: ten.a, c: ten.c } }, 10);
    expect(table(results, 'm').rows.map(r => [r.method, r.rank, r.best])).toEqual([
      ['ref', 3.5, false],
      ['a', 1.5, true],
      ['b', 1.5, true],
      ['c', 3.5, false],
    ]);
    expect(row(results, 'm', 'c').toReference).toMatchObject({ signFlip: 1, wilcoxon: 1, verdict: 'alike' });
  });

  it('one pair: no intervals, nothing is significant', () => {
    const results = toy([metric('m', 'higher')], { m: { ref: [[0.5]], a: [[0.9]], c: [[0.1]] } }, 1);
    const found = row(results, 'm', 'a');
    expect(found.value).toMatchObject({ estimate: 0.9, low: nan, high: nan });
    expect(found.toReference).toMatchObject({ pairs: 1, signFlip: 1, wilcoxon: 1, verdict: 'alike' });
    expect(table(results, 'm').rows.map(r => r.method)).toEqual(['ref', 'a', 'c']);
  });

  it('a reference without values', () => {
    const results = toy([metric('m', 'higher')], { m: { a: ten.a, c: ten.c } }, 10);
    expect(row(results, 'm', 'a')).toMatchObject({ best: true, toReference: undefined });
    expect(row(results, 'm', 'c').toBest?.verdict).toBe('worse');
  });

  it('refuses results that contradict themselves', () => {
    const good = toy([metric('m', 'higher')], { m: ten }, 10);
    const part = good.parts[0];
    const drawable = {
      place: 'best',
      metric: 'm',
      pair: '0',
      caption: '',
      picture: { width: 1, height: 1, data: new Uint8Array(3) },
      grid: [2, 2],
      view: { left: 0, top: 0, width: 1, height: 1 },
      maps: [],
    } as const;
    const bad: [Partial<ComparisonResults>, RegExp][] = [
      [{ reference: 'nobody' }, /reference "nobody"/],
      [{ metrics: [...good.metrics, ...good.metrics] }, /two metrics have one name/],
      [{ methods: [...good.methods, good.methods[0]] }, /two methods/],
      [{ parts: [{ ...part, values: { m: { a: [[1]] } } }] }, /10 pairs but 1 rows of "m" for "a"/],
      [{ parts: [{ ...part, values: { x: ten } }] }, /unknown metric "x"/],
      [{ parts: [{ ...part, values: { m: { z: ten.a } } }] }, /unknown method "z"/],
      [{ parts: [{ ...part, cost: { z: { seconds: 1, forward: 1, backward: 0 } } }] }, /unknown method "z"/],
      [
        { parts: [{ ...part, gallery: [{ ...drawable, maps: [{ method: 'a', value: 1, unit: 'score', values: [1, 2] }] }] }] },
        /2 values of "a" for 4 patches/,
      ],
      [
        { parts: [{ ...part, gallery: [{ ...drawable, picture: { width: 2, height: 2, data: new Uint8Array(3) } }] }] },
        /another number of bytes/,
      ],
    ];
    for (const [change, message] of bad) {
      expect(() => analyse({ ...good, ...change })).toThrow(message);
      expect(() => analyse({ ...good, ...change })).toThrow(NarrowsError);
    }
  });
});

describe('byCategory', () => {
  it('keeps the order of categories and families, and gathers small categories', () => {
    const metrics = [
      metric('cost', 'lower', 'cost'),
      metric('gini', 'none', 'complexity'),
      metric('m', 'higher'),
      metric('p', 'higher', 'localisation'),
    ];
    const analysis = analyse(toy(metrics, { m: ten, p: ten, gini: ten, cost: { a: ten.a } }, 10));
    const names = (together?: number) => byCategory(analysis, analysis.parts[0], { together }).map(t => t.categories);
    expect(names()).toEqual([['faithfulness'], ['localisation'], ['complexity'], ['cost']]);
    expect(names(5)).toEqual([['faithfulness'], ['localisation'], ['complexity', 'cost']]);
    const wide = analyse(
      toy(
        ['m', 'n', 'o'].map(name => metric(name, 'higher')),
        { m: ten, n: ten, o: ten },
        10,
      ),
    );
    expect(byCategory(wide, wide.parts[0], { most: 2 }).map(t => t.metrics.map(m => m.metric.name))).toEqual([['m', 'n'], ['o']]);
    const last = byCategory(analysis, analysis.parts[0], { together: 5 })[2];
    expect(last.methods.map(m => m.method.name)).toEqual(['a', 'b', 'ref', 'c']);
    expect(last.methods[1].cells.map(cell => cell?.method)).toEqual(['b', undefined]);
  });
});

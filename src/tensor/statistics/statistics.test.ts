import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../random.ts';
import { type BootstrapOptions, bootstrap, bootstrapInterval, pairedBootstrap } from './bootstrap.ts';
import { clusteredStandardError, mean, median, quantile, standardError, sum, variance } from './descriptive.ts';
import { normalCdf, preciseNormalQuantile } from './normal.ts';
import { kendall, pearson, ranks, spearman } from './rank.ts';

interface Goldens {
  samples: Record<'x' | 'y' | 'tied_x' | 'tied_y' | 'skewed', number[]>;
  values: Record<string, [string, number][]>;
  intervals: { expression: string; statistic: string; method: string; replicates: number[]; low: number; high: number }[];
}
/** Made by testdata/make_goldens.py with numpy and scipy (versions inside). */
const goldens: Goldens = JSON.parse(readFileSync(new URL('./testdata/goldens.json', import.meta.url), 'utf8'));
const { x, y, tied_x: tiedX, tied_y: tiedY, skewed } = goldens.samples;
const samples: Record<string, number[]> = goldens.samples;

function expectClose(actual: number, expected: number, relative = 1e-12): void {
  if (Math.abs(actual - expected) > relative * Math.abs(expected) + 1e-300) expect.fail(`${actual} is not ${expected}`);
}

/** The first sample named in a numpy expression, and its last number. */
const sampleIn = (expression: string) => samples[/\b(tied_x|skewed|x)\b/.exec(expression)![1]];
const numberIn = (expression: string) => Number(/(-?[\d.]+(?:e-?\d+)?)\)$/.exec(expression)![1]);
const pairIn = (expression: string): [number[], number[]] => (expression.includes('tied') ? [tiedX, tiedY] : [x, y]);

describe('equal numpy and scipy', () => {
  const compute: Record<string, (expression: string) => number> = {
    mean: e => mean(sampleIn(e)),
    variance: e => variance(sampleIn(e)),
    standardError: e => standardError(sampleIn(e)),
    quantile: e => quantile(sampleIn(e), numberIn(e)),
    pearson: e => pearson(...pairIn(e)),
    spearman: e => spearman(...pairIn(e)),
    kendall: e => kendall(...pairIn(e)),
    normalCdf: e => normalCdf(numberIn(e)),
    normalQuantile: e => preciseNormalQuantile(numberIn(e)),
  };
  it.each(Object.entries(goldens.values).flatMap(([name, list]) => list.map(([expression, value]) => ({ name, expression, value }))))(
    '$name: $expression',
    ({ name, expression, value }) => expectClose(compute[name](expression), value),
  );

  const variances = (items: ArrayLike<number>) => variance(items);
  const statistics: Record<string, (items: ArrayLike<number>) => number> = { mean, median, variance: variances };
  it.each(goldens.intervals)('$expression', ({ statistic, method, replicates, low, high }) => {
    const compute = statistics[statistic];
    const estimate = Number(compute(skewed).toFixed(12));
    const leftOut = skewed.map((_, i) => compute(skewed.toSpliced(i, 1)));
    const interval = bootstrapInterval(estimate, replicates, 0.9, method === 'BCa' ? leftOut : undefined);
    expectClose(interval[0], low, 1e-9);
    expectClose(interval[1], high, 1e-9);
  });
});

describe('closed forms', () => {
  it('sums without losing small values', () => {
    expect(sum([1e16, 1, -1e16])).toBe(1);
    expect(sum([Number.POSITIVE_INFINITY, 1])).toBe(Number.POSITIVE_INFINITY);
    expect(variance([1e9 + 1, 1e9 + 2, 1e9 + 3])).toBe(1);
  });

  it('clustered standard error', () => {
    const values = [1, 2, 4, 8, 3, 9];
    expectClose(clusteredStandardError(values, [1, 2, 3, 4, 5, 6]), standardError(values));
    // Equal values within clusters: as if each cluster were one value.
    expectClose(clusteredStandardError([2, 2, 5, 5, 11, 11], ['a', 'a', 'b', 'b', 'c', 'c']), standardError([2, 5, 11]));
    // By hand: mean 4.5, cluster sums of deviations -6 (1, 2) and 6 (4, 8, 3, 9); sqrt(2 · 72) / 6.
    expectClose(clusteredStandardError(values, [0, 0, 1, 1, 1, 1]), 2);
    expect(clusteredStandardError(values, [0, 0, 0, 0, 0, 0])).toBeNaN();
    expect(() => clusteredStandardError(values, [0])).toThrow(RangeError);
  });

  it('ranks and correlations', () => {
    expect([...ranks([10, 30, 20, 30])]).toEqual([1, 3.5, 2, 3.5]);
    expect([pearson([1, 2, 3], [2, 4, 6]), spearman([1, 2, 3], [-1, -8, -9]), kendall([1, 2, 3], [1, 8, 27])]).toEqual([1, -1, 1]);
    for (const correlation of [pearson, spearman, kendall]) {
      expect(correlation([1, 1, 1], [1, 2, 3])).toBeNaN();
      expect(correlation([1], [1])).toBeNaN();
      expect(correlation([1, Number.NaN, 2], [1, 2, 3])).toBeNaN();
      expect(() => correlation([1, 2], [1])).toThrow(RangeError);
    }
  });

  it('too few values give NaN', () => {
    for (const value of [
      mean([]),
      variance([1]),
      standardError([1]),
      quantile([], 0.5),
      quantile([1], 2),
      quantile([1, Number.NaN], 0.5),
    ]) {
      expect(value).toBeNaN();
    }
  });

  it('quantiles and normal probabilities invert', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-12, max: 0.5, noNaN: true }), p => expectClose(normalCdf(preciseNormalQuantile(p)), p, 1e-12)),
    );
    expect([normalCdf(Number.NEGATIVE_INFINITY), normalCdf(Number.POSITIVE_INFINITY), normalCdf(Number.NaN)]).toEqual([0, 1, Number.NaN]);
    expect([preciseNormalQuantile(0), preciseNormalQuantile(1)]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });
});

describe('bootstrap', () => {
  const random = new RandomStream(5, 'bootstrap');

  it('repeats exactly, whatever was drawn before, and depends on seed and step', () => {
    const run = (options: Partial<BootstrapOptions> = {}) => bootstrap(skewed, mean, { random, resamples: 300, ...options });
    const first = run();
    expect(run()).toEqual(first);
    expect(run({ step: 1 })).not.toEqual(first);
    expect(run({ random: new RandomStream(6, 'bootstrap') })).not.toEqual(first);
    expect(first.low < first.estimate && first.estimate < first.high).toBe(true);
    expectClose(first.standardError, standardError(skewed), 0.2);
  });

  it('covers the true mean about as often as promised', () => {
    const numbers = new RandomStream(8, 'samples');
    let covered = 0;
    for (let trial = 0; trial < 400; trial++) {
      const sample = Float64Array.from(numbers.normals(0, trial, new Float32Array(25)));
      const { low, high } = bootstrap(sample, mean, { random, step: trial, resamples: 400 });
      covered += low <= 0 && 0 <= high ? 1 : 0;
    }
    // Bootstrap intervals of 25 values are known to be a little short; 0.015 is one standard error of this estimate.
    expect(covered / 400).toBeGreaterThan(0.88);
    expect(covered / 400).toBeLessThan(0.98);
  });

  it('pairs: a constant difference has an interval of no width', () => {
    const { estimate, low, high } = pairedBootstrap([1, 5, 2], [0, 4, 1], { random, resamples: 100 });
    expect([estimate, low, high]).toEqual([1, 1, 1]);
    const wide = pairedBootstrap(tiedX, tiedY, { random });
    expectClose(wide.estimate, mean(tiedX) - mean(tiedY));
    expect(() => pairedBootstrap([1], [1, 2], { random })).toThrow(RangeError);
  });

  it('takes items of any kind, and says NaN for one item', () => {
    const items = [{ hit: 1 }, { hit: 0 }, { hit: 1 }, { hit: 1 }];
    const { low, high } = bootstrap(items, list => mean(list.map(item => item.hit)), { random, method: 'percentile' });
    expect(low >= 0 && high <= 1 && low < high).toBe(true);
    expect(bootstrap([3], mean, { random })).toMatchObject({ estimate: 3, low: Number.NaN, high: Number.NaN });
  });

  it('falls back to percentiles when every replicate lies on one side', () => {
    expect(bootstrapInterval(0, [1, 2, 3], 0.5, [1, 2, 3])).toEqual([1.5, 2.5]);
  });
});

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../random.ts';
import { bootstrap } from './bootstrap.ts';
import { clusterBootstrap, pairedClusterBootstrap } from './cluster-bootstrap.ts';
import { clusteredStandardError, mean, standardDeviation } from './descriptive.ts';
import { holm } from './holm.ts';
import { MeanBootstrap } from './mean-bootstrap.ts';
import { pairedEffect, varianceComponents } from './paired-effect.ts';
import { signFlipTest } from './permutation.ts';
import { wilcoxon } from './wilcoxon.ts';

interface Goldens {
  samples: Record<string, number[]>;
  wilcoxon: {
    sample: string;
    zeros: 'wilcox' | 'pratt';
    method: 'exact' | 'normal';
    continuity: boolean;
    statistic: number;
    z?: number;
    p: number;
  }[];
  signFlip: { sample: string; mean: number; p: number }[];
  holm: { p: number[]; adjusted: number[] }[];
}
/** Made by testdata/make_paired_goldens.py with scipy and statsmodels (versions inside). */
const goldens: Goldens = JSON.parse(readFileSync(new URL('./testdata/paired-goldens.json', import.meta.url), 'utf8'));
const random = new RandomStream(3, 'tests');

describe("Wilcoxon's signed-rank test", () => {
  it.each(goldens.wilcoxon)('equals scipy: $sample, $zeros, $method, continuity $continuity', golden => {
    const found = wilcoxon(goldens.samples[golden.sample], golden);
    expect(found.pValue).toBeCloseTo(golden.p, 12);
    expect(Math.min(found.positive, found.negative)).toBe(golden.statistic);
    if (golden.z !== undefined) expect(Math.abs(found.z!)).toBeCloseTo(Math.abs(golden.z), 12);
  });

  it('by hand', () => {
    // 1, 2 and 3 all positive: one pattern of eight on either side.
    expect(wilcoxon([1, 2, 3])).toEqual({ positive: 6, negative: 0, pValue: 0.25, used: 3, zeros: 0, method: 'exact' });
    // Ranks 1, 2, 3 with the first negative: sums of at most 1 have 2 patterns of 8, both sides: 4/8.
    expect(wilcoxon([-1, 2, 3]).pValue).toBe(0.5);
    // Two tied: ranks 1½ each; one sign each way is the middle.
    expect(wilcoxon([1, -1])).toMatchObject({ positive: 1.5, negative: 1.5, pValue: 1 });
    // Pratt: the zero takes rank 1, the others have 2 and 3.
    expect(wilcoxon([0, 4, 5], { zeros: 'pratt' })).toMatchObject({ positive: 5, zeros: 1, used: 2, pValue: 0.5 });
    expect(wilcoxon(new Array(50).fill(1)).pValue).toBeCloseTo(2 ** -49, 25);
  });

  it('does not depend on sign or scale', () => {
    const d = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(d, list => {
        const one = wilcoxon(list);
        const other = wilcoxon(list.map(v => -4 * v));
        expect(other.pValue).toBe(one.pValue);
        expect(other.positive).toBe(one.negative);
        expect(one.pValue).toBeGreaterThan(0);
      }),
    );
  });

  it('says 1 for nothing but zeros, NaN for nothing or NaN, and refuses to count for ever', () => {
    expect(wilcoxon([0, 0])).toMatchObject({ pValue: 1, used: 0, zeros: 2 });
    expect(wilcoxon([]).pValue).toBeNaN();
    expect(wilcoxon([1, Number.NaN]).pValue).toBeNaN();
    expect(() => wilcoxon(new Array(1001).fill(1), { method: 'exact' })).toThrow(/at most 1000/);
    expect(wilcoxon(new Array(1001).fill(1)).method).toBe('normal');
  });
});

describe('sign-flip test', () => {
  it.each(goldens.signFlip)('equals scipy by enumeration: $sample', ({ sample, mean: expected, p }) => {
    const found = signFlipTest(goldens.samples[sample], { random, resamples: 2 ** 16 });
    expect(found.method).toBe('exact');
    expect(found.mean).toBeCloseTo(expected, 12);
    expect(found.pValue).toBeCloseTo(p, 12);
  });

  it('by hand', () => {
    // Of +-1 +-2 +-3 only the two with equal signs reach 6.
    expect(signFlipTest([1, 2, 3], { random })).toEqual({ mean: 2, pValue: 0.25, method: 'exact', patterns: 8 });
    // 3 - 1 - 2 = 0 is the middle: every pattern is as far.
    expect(signFlipTest([3, -1, -2], { random }).pValue).toBe(1);
    // 0.1 + 0.2 and 0.3: sums that differ in their last bit are ties.
    expect(signFlipTest([0.1, 0.2, -0.3], { random }).pValue).toBe(1);
    expect(signFlipTest([0, 0, 5], { random })).toMatchObject({ pValue: 1, patterns: 2 });
  });

  it('sampled: agrees with the enumeration, repeats, is never 0', () => {
    const differences = goldens.samples.tied;
    const exact = signFlipTest(differences, { random, resamples: 2 ** 14 }).pValue;
    const sampled = signFlipTest(differences, { random, resamples: 4000 });
    expect(sampled.method).toBe('sampled');
    // Four standard errors.
    expect(Math.abs(sampled.pValue - exact)).toBeLessThan(4 * Math.sqrt((exact * (1 - exact)) / 4000));
    expect(signFlipTest(differences, { random, resamples: 4000 })).toEqual(sampled);
    expect(signFlipTest(differences, { random, resamples: 4000, step: 1 })).not.toEqual(sampled);
    expect(signFlipTest(new Array(100).fill(1), { random, resamples: 99 }).pValue).toBe(0.01);
  });

  it('finds nothing where there is nothing, about as often as promised', () => {
    let below = 0;
    for (let trial = 0; trial < 300; trial++) {
      const noise = random.normals(9, trial, new Float32Array(40));
      below += signFlipTest(noise, { random, step: trial, resamples: 199 }).pValue <= 0.1 ? 1 : 0;
    }
    // 30 expected, standard deviation 5.2.
    expect(below).toBeGreaterThan(12);
    expect(below).toBeLessThan(48);
  });

  it('gives NaN for nothing or NaN and refuses no resamples', () => {
    expect(signFlipTest([], { random }).pValue).toBeNaN();
    expect(signFlipTest([1, Number.NaN], { random }).pValue).toBeNaN();
    expect(() => signFlipTest([1], { random, resamples: 0 })).toThrow(RangeError);
  });
});

describe("Holm's correction", () => {
  it.each(goldens.holm)('equals statsmodels', ({ p, adjusted }) => {
    holm(p).forEach((value, i) => {
      expect(value).toBeCloseTo(adjusted[i], 14);
    });
  });
  it('by hand, with NaN left out of the count', () => {
    expect(holm([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06]);
    expect(holm([0.01, Number.NaN, 0.04])).toEqual([0.02, Number.NaN, 0.04]);
    expect(holm([0.9, 0.8])).toEqual([1, 1]);
    expect(holm([])).toEqual([]);
    expect(() => holm([0.5, 1.5])).toThrow(/between 0 and 1/);
  });
});

describe('cluster bootstrap', () => {
  it('draws whole clusters', () => {
    // Equal values within clusters: as wide as the bootstrap of one value each.
    const options = { random, resamples: 500 };
    const thrice = clusterBootstrap([1, 1, 1, 5, 5, 5, 9, 9, 9], ['a', 'a', 'a', 'b', 'b', 'b', 'c', 'c', 'c'], options);
    expect(thrice).toEqual(clusterBootstrap([1, 5, 9], [0, 1, 2], options));
    // All seeds of a scene share its level: taken for independent, the interval would be too short by half or more.
    const levels = random.normals(0, 0, new Float32Array(40));
    const values = Array.from({ length: 200 }, (_, i) => levels[Math.floor(i / 5)] + 0.1 * levels[i % 40]);
    const scenes = values.map((_, i) => Math.floor(i / 5));
    const clustered = clusterBootstrap(values, scenes, { random });
    const naive = clusterBootstrap([...values], [...values.keys()], { random });
    expect(clustered.standardError / naive.standardError).toBeGreaterThan(1.8);
    expect(clustered.standardError / clusteredStandardError(values, scenes)).toBeCloseTo(1, 1);
  });

  it('weighs values or clusters', () => {
    const options = { random, resamples: 50 };
    const [values, clusters] = [
      [1, 1, 1, 5],
      [0, 0, 0, 1],
    ];
    expect(clusterBootstrap(values, clusters, options).estimate).toBe(2);
    expect(clusterBootstrap(values, clusters, { ...options, weigh: 'clusters' }).estimate).toBe(3);
  });

  it('pairs: a constant difference has no width; NaN leaves an item out; one cluster has no interval', () => {
    const constant = pairedClusterBootstrap([2, 3, 9, Number.NaN], [1, 2, 8, 0], ['x', 'x', 'y', 'z'], { random });
    expect(constant).toMatchObject({ estimate: 1, low: 1, high: 1 });
    expect(clusterBootstrap([1, 2], [0, 0], { random })).toMatchObject({ estimate: 1.5, low: Number.NaN });
    expect(clusterBootstrap([], [], { random }).estimate).toBeNaN();
    expect(() => clusterBootstrap([1], [], { random })).toThrow(RangeError);
    expect(() => pairedClusterBootstrap([1], [1, 2], [0], { random })).toThrow(RangeError);
  });
});

describe('bootstrap of many means', () => {
  it.each(['bca', 'percentile'] as const)('equals the bootstrap of the mean: %s', method => {
    const options = { random, method, resamples: 400, step: 2 };
    const many = new MeanBootstrap(options);
    for (const name of ['small', 'fifty', 'large', 'tied', 'zeros', 'large_zeros', 'small']) {
      const sample = goldens.samples[name];
      const [found, expected] = [many.interval(sample), bootstrap(sample, mean, options)];
      expect(found.estimate).toBe(expected.estimate);
      expect(found.low).toBeCloseTo(expected.low, 12);
      expect(found.high).toBeCloseTo(expected.high, 12);
      expect(found.standardError).toBeCloseTo(expected.standardError, 12);
    }
  });
  it('one value or none has no interval; equal values have one of no width', () => {
    const many = new MeanBootstrap({ random });
    expect(many.interval([4])).toMatchObject({ estimate: 4, low: Number.NaN });
    expect(many.interval([]).estimate).toBeNaN();
    expect(many.interval(new Array(7).fill(0.1))).toMatchObject({ estimate: 0.1, low: 0.1, high: 0.1 });
  });
});

describe('effects and components of spread', () => {
  it('by hand', () => {
    const effect = pairedEffect([3, -1, 2, 0, Number.NaN]);
    // Ranks 3, 1, 2: (5 - 1) / 6.
    expect(effect).toMatchObject({ wins: 2, ties: 1, losses: 1, rankBiserial: 4 / 6 });
    expect(effect.standardised).toBeCloseTo(1 / standardDeviation([3, -1, 2, 0]), 12);
    expect(pairedEffect([0, 0])).toMatchObject({ ties: 2, rankBiserial: 0, standardised: Number.NaN });
    expect(pairedEffect([])).toMatchObject({ wins: 0, rankBiserial: Number.NaN });
    // Balanced: MS within 1, between 2 · 18 = 36 → (36 - 2)/2 = 17 with within² = 2.
    const parts = varianceComponents([
      [0, 2],
      [6, 8],
    ]);
    expect(parts.within).toBeCloseTo(Math.sqrt(2), 12);
    expect(parts.between).toBeCloseTo(Math.sqrt(17), 12);
    expect(parts.intraclass).toBeCloseTo(17 / 19, 12);
  });
  it('seeds that explain all, one seed, one pair', () => {
    expect(
      varianceComponents([
        [0, 4],
        [4, 0],
      ]).between,
    ).toBe(0);
    expect(varianceComponents([[1], [2], [3]])).toMatchObject({ within: Number.NaN, between: Number.NaN });
    expect(varianceComponents([[1, 2, Number.NaN]])).toMatchObject({ within: standardDeviation([1, 2]), between: Number.NaN });
    expect(varianceComponents([])).toMatchObject({ within: Number.NaN, between: Number.NaN });
    expect(mean([varianceComponents([[1, 3], [2]]).within])).toBeCloseTo(Math.sqrt(2), 12);
  });
});

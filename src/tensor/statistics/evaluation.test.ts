/** @file Clustered errors, paired t, McNemar, repeats, power and correlation intervals against golden values and cases known by hand. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../random.ts';
import { CLUSTERED_ERRORS, millerStandardError } from './clustered-error.ts';
import { clusteredStandardError, mean, standardError } from './descriptive.ts';
import { mcnemar, mcnemarCounts } from './mcnemar.ts';
import { pairedT } from './paired-t.ts';
import { correlate } from './pearson-interval.ts';
import { differenceDeviation, powerOf, questionsNeeded, smallestEffect } from './power.ts';
import { repeatStatistics } from './repeats.ts';
import { incompleteBeta, logGamma, studentHalfWidth, studentTwoSided } from './student-t.ts';

interface PairedGolden {
  cluster: string[];
  a: number[];
  b: number[];
  mean_a: number;
  mean_b: number;
  clustered_standard_error_a: number | 'nan';
  clustered_standard_error_difference?: number;
  plain_standard_error_a?: number;
  paired_t: Record<'mean_diff' | 'se_diff' | 'ci_lower' | 'ci_upper' | 't_stat' | 'p_value' | 'n', number | 'nan' | 'inf'>;
  mcnemar_exact_p?: number;
  discordant?: [number, number];
}
interface PowerGolden {
  arguments: { effect_size: number; power?: number; alpha?: number };
  result: Record<'min_n' | 'std_a' | 'std_b' | 'correlation', number> &
    Record<'current_n' | 'current_power' | 'min_detectable_effect', number>;
}
/** Values of lmms-eval and scipy (testdata/README.md). */
const goldens: {
  sets: Record<string, PairedGolden>;
  edges: Record<string, PairedGolden>;
  repeats: { scores: number[][] } & Record<'expected_accuracy' | 'consensus_accuracy' | 'internal_variance' | 'consistency_rate', number>;
  power: PowerGolden[];
} = JSON.parse(readFileSync(new URL('./testdata/evaluation-goldens.json', import.meta.url), 'utf8'));

const numberOf = (value: number | 'nan' | 'inf'): number =>
  value === 'nan' ? Number.NaN : value === 'inf' ? Number.POSITIVE_INFINITY : value;
function expectClose(actual: number, golden: number | 'nan' | 'inf' | undefined, relative = 1e-11): void {
  const expected = numberOf(golden!);
  if (!Number.isFinite(expected)) expect(actual).toBe(expected);
  else if (!(Math.abs(actual - expected) <= relative * Math.abs(expected) + 1e-15)) expect.fail(`${actual} is not ${expected}`);
}

describe.each(Object.entries({ ...goldens.sets, ...goldens.edges }))('answers "%s" equal lmms-eval and scipy', (_name, golden) => {
  const { a, b, cluster } = golden;

  it('standard errors', () => {
    expectClose(millerStandardError(a, cluster), golden.clustered_standard_error_a);
    if (golden.clustered_standard_error_difference === undefined) return;
    expectClose(mean(a), golden.mean_a);
    expectClose(
      millerStandardError(
        a.map((v, i) => v - b[i]),
        cluster,
      ),
      golden.clustered_standard_error_difference,
    );
    expectClose(standardError(a), golden.plain_standard_error_a);
  });

  it('the paired t test', () => {
    const got = pairedT(a, b);
    const { mean_diff, se_diff, ci_lower, ci_upper, t_stat, p_value, n } = golden.paired_t;
    expectClose(got.difference, mean_diff);
    expectClose(got.standardError, se_diff);
    expectClose(got.low, ci_lower);
    expectClose(got.high, ci_upper);
    expectClose(got.t, t_stat);
    expectClose(got.pValue, p_value);
    expect(got.n).toBe(n);
  });

  it('McNemar', () => {
    const got = mcnemar(a, b);
    if (golden.discordant) expect(got.discordant).toEqual(golden.discordant);
    if (golden.mcnemar_exact_p !== undefined) expectClose(got.pValue, golden.mcnemar_exact_p);
    expect(mcnemar(b, a).pValue).toBe(got.pValue);
  });
});

describe('clustered standard errors', () => {
  const { a, cluster } = goldens.edges.opposites;

  it('by sums of clusters is 0 where clusters cancel exactly; Miller as coded is not', () => {
    expect(clusteredStandardError(a, cluster)).toBe(0);
    expect(CLUSTERED_ERRORS.sums(a, cluster)).toBe(0);
    expectClose(CLUSTERED_ERRORS.miller(a, cluster), 0.09128709291752768);
  });

  it('are the plain one for single values, and grow by √2 for doubled ones', () => {
    const single = goldens.sets.single;
    for (const error of Object.values(CLUSTERED_ERRORS)) expectClose(error(single.a, single.cluster), standardError(single.a));
    const doubled = single.a.flatMap(v => [v, v]);
    const twice = single.cluster.flatMap(v => [v, v]);
    expectClose(clusteredStandardError(doubled, twice), standardError(single.a));
  });

  it('refuse unequal lengths', () => {
    expect(() => millerStandardError([1, 2], ['a'])).toThrow(/2 values but 1 cluster/);
  });
});

describe('paired t over clusters', () => {
  it('does not see that pairs are doubled', () => {
    const { a, b } = goldens.sets.single;
    const clusters = a.flatMap((_, i) => [i, i]);
    const got = pairedT(
      a.flatMap(v => [v, v]),
      b.flatMap(v => [v, v]),
      { clusters },
    );
    const plain = pairedT(a, b);
    expect(got).toMatchObject({ n: 80, clusters: 40, degreesOfFreedom: 39 });
    for (const key of ['difference', 'standardError', 'low', 'high', 't', 'pValue'] as const) expectClose(got[key], plain[key]);
  });

  it('takes the named error, a level, and gives NaN for one cluster', () => {
    const { a, b, cluster } = goldens.sets.uneven;
    expectClose(pairedT(a, b, { clusters: cluster, error: 'miller' }).standardError, 0.04933312312114898);
    const wide = pairedT(a, b, { level: 0.99 });
    expect(wide.high - wide.low).toBeGreaterThan(pairedT(a, b).high - pairedT(a, b).low);
    expect(pairedT([1, 0], [0, 0], { clusters: ['x', 'x'] }).pValue).toBeNaN();
    expect(() => pairedT([1], [])).toThrow(/one length/);
  });
});

describe('McNemar', () => {
  it('by hand and scipy, small and large', () => {
    expect(mcnemarCounts(0, 3).pValue).toBeCloseTo(0.25, 14);
    expect(mcnemarCounts(0, 0)).toMatchObject({ pValue: 1, method: 'exact' });
    expect(mcnemarCounts(2, 2).pValue).toBe(1);
    expectClose(mcnemarCounts(4400, 4600).pValue, 0.03593075063730818, 1e-9);
    expect(mcnemarCounts(14, 1, { method: 'chi-square' })).toMatchObject({ chiSquare: 169 / 15, method: 'chi-square' });
    expectClose(mcnemarCounts(14, 1, { method: 'chi-square' }).pValue, 0.0007891129890156312);
    expectClose(mcnemarCounts(14, 1, { method: 'chi-square', continuity: true }).pValue, 0.0019457736937391556);
  });

  it('refuses halves and unequal lengths', () => {
    expect(() => mcnemarCounts(1.5, 0)).toThrow(/whole numbers/);
    expect(() => mcnemar([true], [])).toThrow(/one length/);
  });
});

describe('repeats', () => {
  it('equal lmms-eval', () => {
    const got = repeatStatistics(goldens.repeats.scores);
    expectClose(got.expectedAccuracy, goldens.repeats.expected_accuracy);
    expectClose(got.consensusAccuracy, goldens.repeats.consensus_accuracy);
    expectClose(got.internalVariance, goldens.repeats.internal_variance);
    expectClose(got.consistencyRate, goldens.repeats.consistency_rate);
    expect(got).toMatchObject({ questions: 25, repeats: 5 });
  });

  it('a tie is wrong; one repeat has no variance; ragged tables are refused', () => {
    expect(
      repeatStatistics([
        [1, 0],
        [1, 1],
      ]).consensusAccuracy,
    ).toBe(0.5);
    expect(repeatStatistics([[1], [0]])).toMatchObject({ internalVariance: Number.NaN, consistencyRate: 1 });
    expect(() => repeatStatistics([[1, 0], [1]])).toThrow(/Question 1 has 1 repeats/);
  });
});

describe('power', () => {
  it.each(goldens.power)('equals lmms-eval for $arguments', ({ arguments: { effect_size, alpha, power }, result }) => {
    const deviation = differenceDeviation(result.std_a, result.std_b, result.correlation);
    expect(questionsNeeded(effect_size, deviation, { alpha, power })).toBe(result.min_n);
    if (result.current_n === undefined) return;
    expect(powerOf(result.current_n, effect_size, deviation)).toBeCloseTo(result.current_power, 4);
    expect(smallestEffect(result.current_n, deviation)).toBeCloseTo(result.min_detectable_effect, 4);
  });

  it('is consistent: the questions needed have the power, one fewer has not; clusters need more', () => {
    const n = questionsNeeded(0.01, 0.4);
    expect(powerOf(n, 0.01, 0.4)).toBeGreaterThanOrEqual(0.8);
    expect(powerOf(n - 1, 0.01, 0.4)).toBeLessThan(0.8);
    expect(smallestEffect(n, 0.4)).toBeCloseTo(0.01, 5);
    expect(questionsNeeded(0.01, 0.4, { designEffect: 2 }) / n).toBeCloseTo(2, 3);
    expect(questionsNeeded(0, 0.4)).toBe(Number.POSITIVE_INFINITY);
    expect(powerOf(100, 0, 0.4)).toBeCloseTo(0.025, 12);
  });

  it('refuses what is impossible', () => {
    expect(() => differenceDeviation(0.5, 0.5, 2)).toThrow(/correlation/);
    expect(() => questionsNeeded(0.1, 0.5, { power: 1 })).toThrow(/power lies between 0 and 1/);
    expect(() => questionsNeeded(0.1, 0.5, { designEffect: 0 })).toThrow(/design effect/);
    expect(() => questionsNeeded(Number.NaN, 0.5)).toThrow(/Cannot plan/);
    expect(() => powerOf(0, 0.1, 0.5)).toThrow(/not defined/);
    expect(() => smallestEffect(0, 0.5)).toThrow(/not defined/);
  });
});

describe("Student's t and the incomplete beta function equal scipy", () => {
  it('values', () => {
    for (const [x, a, b, value] of [
      [0.3, 2, 5, 0.5798250000000003],
      [0.9, 0.5, 0.5, 0.7951672353008665],
      [0.5, 4500, 4400, 0.14455895619946593],
      [1e-8, 3, 0.5, 3.12500001171875e-25],
    ])
      expectClose(incompleteBeta(x, a, b), value, 1e-10);
    expectClose(studentTwoSided(2.5, 1), 0.24223788318168682);
    expectClose(studentTwoSided(-30, 7), 1.1788468880733144e-8);
    expectClose(studentTwoSided(0.01, 3), 0.992649111412852);
    expectClose(studentHalfWidth(0.95, 1), 12.706204736174694);
    expectClose(studentHalfWidth(0.95, 59), 2.000995378088267);
    expectClose(studentHalfWidth(0.99, 4.5), 4.272823993011293);
    for (const [x, value] of [
      [0.5, 0.5723649429247],
      [3.7, 1.428072326665388],
      [1234.5, 7550.550901077894],
    ])
      expectClose(logGamma(x), value, 1e-12);
  });

  it('are NaN outside their domain', () => {
    expect(incompleteBeta(1.1, 1, 1)).toBeNaN();
    expect(studentTwoSided(1, 0)).toBeNaN();
    expect(studentHalfWidth(1, 3)).toBeNaN();
    expect(studentTwoSided(Number.POSITIVE_INFINITY, 3)).toBe(0);
  });
});

describe('correlation with an interval', () => {
  const [x, y] = [
    [1, 2, 3, 4, 5, 7],
    [2, 1, 4, 3, 7, 5],
  ];

  it("equals scipy by Fisher's z", () => {
    const got = correlate(x, y);
    expect(got).toMatchObject({ n: 6, interval: 'fisher-z', level: 0.95 });
    expectClose(got.r, 0.7428571428571428);
    expectClose(got.pValue, 0.09068221574344022);
    expectClose(got.low, -0.17300340867486252);
    expectClose(got.high, 0.9697695087443386);
  });

  it('resamples pairs when asked, and is NaN where undefined', () => {
    const got = correlate(x, y, 0.9, { random: new RandomStream(0, 'test'), resamples: 400 });
    expect(got.interval).toBe('bootstrap');
    expect(got.low).toBeLessThan(got.r);
    expect(got.high).toBeGreaterThanOrEqual(got.r);
    expect(correlate([1, 2, 3], [3, 1, 2]).low).toBeNaN();
    expect(correlate([1, 1, 1, 1], [3, 1, 2, 4]).r).toBeNaN();
    expect(correlate([1, 2, 3, 4], [2, 4, 6, 8])).toMatchObject({ r: 1, pValue: 0 });
  });
});

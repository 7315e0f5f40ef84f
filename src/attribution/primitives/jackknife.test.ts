import { expect, it } from 'vitest';
import { RandomStream } from '../../tensor/random.ts';
import { mean, standardDeviation } from '../../tensor/statistics/descriptive.ts';
import { GROUPS, GroupedMoments } from './jackknife.ts';

const samples = (seed: number, n: number): Float32Array =>
  new RandomStream(seed, 'jackknife').normals(0, 0, new Float32Array(n)).map(v => 1 + 2 * v);

function grouped(values: Float32Array): GroupedMoments {
  const moments = new GroupedMoments(1, values.length, true);
  for (const v of values) moments.add([v]);
  return moments;
}

it('has the mean, and the mean square', () => {
  const { mean: first, square, count } = grouped(Float32Array.of(1, 2, 3, 6)).moments();
  expect([first[0], square![0], count]).toEqual([3, 12.5, 4]);
});

it('multiplies samples by a factor', () => {
  const moments = new GroupedMoments(2, 2, false);
  moments.add([1, 2], [10, 100]);
  moments.add([3, 4], [10, 100]);
  expect([...moments.moments().mean]).toEqual([20, 300]);
});

it('is the standard error of the mean exactly, where each sample is a group', () => {
  const values = samples(1, GROUPS);
  const [error] = grouped(values).standardError(m => Float32Array.from(m.mean))!;
  // The jackknife of a mean is s / √n with the unbiased variance.
  const n = values.length;
  const spread = Math.sqrt(values.reduce((sum, v) => sum + (v - mean(values)) ** 2, 0) / (n - 1));
  expect(error).toBeCloseTo(spread / Math.sqrt(n), 6);
});

it('estimates how a nonlinear read-out scatters over repetitions', () => {
  const readOut = (m: { mean: Float64Array; square?: Float64Array }): Float32Array => Float32Array.of(m.mean[0] ** 2, m.square![0]);
  const runs = Array.from({ length: 200 }, (_, seed) => grouped(samples(seed, 100)));
  for (const i of [0, 1]) {
    const actual = standardDeviation(runs.map(r => readOut(r.moments())[i]));
    const estimated = mean(runs.map(r => r.standardError(readOut)![i]));
    expect(estimated / actual).toBeGreaterThan(0.85);
    expect(estimated / actual).toBeLessThan(1.15);
  }
});

it('says nothing of fewer than three samples', () => {
  expect(grouped(Float32Array.of(1, 2)).standardError(m => Float32Array.from(m.mean))).toBeUndefined();
});

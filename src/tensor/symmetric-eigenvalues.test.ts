/** @file Eigenvalues against matrices whose eigenvalues are known, and against invariants. */
import { describe, expect, it } from 'vitest';
import { RandomStream } from './random.ts';
import { symmetricEigenvalues } from './symmetric-eigenvalues.ts';

describe('symmetricEigenvalues', () => {
  it('of small matrices', () => {
    expect(symmetricEigenvalues([], 0)).toHaveLength(0);
    expect(symmetricEigenvalues([3], 1)[0]).toBeCloseTo(3, 14);
    const two = symmetricEigenvalues([2, 1, 1, 2], 2);
    expect(two[0]).toBeCloseTo(1, 14);
    expect(two[1]).toBeCloseTo(3, 14);
    expect([...symmetricEigenvalues([5, 0, 0, 0, -1, 0, 0, 0, 2], 3)].map(v => Math.round(v * 1e12) / 1e12)).toEqual([-1, 2, 5]);
  });

  it('of the second difference, 2 - 2 cos(kπ / (n + 1))', () => {
    const n = 40;
    const matrix = Float64Array.from({ length: n * n }, (_, i) => [2, -1][Math.abs(Math.floor(i / n) - (i % n))] ?? 0);
    symmetricEigenvalues(matrix, n).forEach((v, k) => void expect(v).toBeCloseTo(2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1)), 13));
  });

  it('of Q D Qᵀ, with many equal ones, when Q is a product of reflections', () => {
    const n = 30;
    const reader = new RandomStream(1, 'test').reader(0, 0);
    const want = Array.from({ length: n }, (_, i) => (i < 12 ? 0 : i < 20 ? 1 : i));
    let matrix = Float64Array.from({ length: n * n }, (_, i) => (Math.floor(i / n) === i % n ? want[i % n] : 0));
    for (let round = 0; round < 5; round++) {
      const v = Array.from({ length: n }, () => reader.normal());
      const square = v.reduce((a, b) => a + b * b, 0);
      const reflect = (i: number, j: number) => (i === j ? 1 : 0) - (2 * v[i] * v[j]) / square;
      const left = Float64Array.from({ length: n * n }, (_, i) => {
        let total = 0;
        for (let k = 0; k < n; k++) total += reflect(Math.floor(i / n), k) * matrix[k * n + (i % n)];
        return total;
      });
      matrix = Float64Array.from({ length: n * n }, (_, i) => {
        let total = 0;
        for (let k = 0; k < n; k++) total += left[Math.floor(i / n) * n + k] * reflect(k, i % n);
        return total;
      });
    }
    symmetricEigenvalues(matrix, n).forEach((v, i) => void expect(v).toBeCloseTo(want[i], 11));
  });

  it('refuses what is no matrix', () => {
    expect(() => symmetricEigenvalues([1, 2, 3], 2)).toThrow(/4 elements, got 3/);
    expect(() => symmetricEigenvalues([1, Number.NaN, Number.NaN, 1], 2)).toThrow(/NaN/);
  });
});

import { expect, it } from 'vitest';
import { RandomStream } from './random.ts';
import { symmetricEigenvalues } from './symmetric-eigenvalues.ts';
import { symmetricEigenvectors } from './symmetric-eigenvectors.ts';

/** A covariance whose eigenvalues lie decades apart. */
function covariance(n: number): Float64Array {
  const x = new RandomStream(1, 'matrix').normals(0, 0, new Float32Array(n * 3 * n));
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) for (let k = 0; k < 3 * n; k++) a[i * n + j] += x[i * 3 * n + k] * x[j * 3 * n + k] * 10 ** (-(i + j) / 8);
  return a;
}

it('gives orthonormal vectors that the matrix only stretches, by the known eigenvalues', () => {
  const n = 24;
  const a = covariance(n);
  const { values, vectors } = symmetricEigenvectors(a, n);
  const known = symmetricEigenvalues(a, n);
  const top = known[n - 1];
  for (let k = 0; k < n; k++) {
    expect(Math.abs(values[k] - known[k])).toBeLessThan(1e-13 * top);
    for (let other = 0; other < n; other++) {
      let dot = 0;
      for (let i = 0; i < n; i++) dot += vectors[i * n + k] * vectors[i * n + other];
      expect(Math.abs(dot - (k === other ? 1 : 0))).toBeLessThan(1e-13);
    }
    for (let i = 0; i < n; i++) {
      let product = 0;
      for (let j = 0; j < n; j++) product += a[i * n + j] * vectors[j * n + k];
      expect(Math.abs(product - values[k] * vectors[i * n + k])).toBeLessThan(1e-12 * top);
    }
  }
});

it('takes a diagonal matrix, a zero, and refuses what has none', () => {
  const { values, vectors } = symmetricEigenvectors([3, 0, 0, 1], 2);
  expect([...values]).toEqual([1, 3]);
  expect([...vectors]).toEqual([0, 1, 1, 0]);
  expect([...symmetricEigenvectors([0, 0, 0, 0], 2).values]).toEqual([0, 0]);
  expect(() => symmetricEigenvectors([1, 2, 3], 2)).toThrow(/has 4 elements, got 3/);
  expect(() => symmetricEigenvectors([Number.NaN], 1)).toThrow(/NaN/);
});

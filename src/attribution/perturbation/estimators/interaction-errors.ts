/** @file Standard errors of interactions from the masks that were drawn on one side (see interactions.ts). */
import type { FloatTensor } from '../../../tensor/tensor.ts';
import { membersOf, type Regressor } from './least-squares.ts';

/** What one side's draws add to the variances. n players of this side, k of the other. */
export interface Variances {
  /** Of eᵢⱼ, [n, k]. */
  readonly cross: Float64Array;
  /** Of first-order values of this side's players [n], and of the other's [k]. */
  readonly own: Float64Array;
  readonly other: Float64Array;
}

/**
 * Θ's column j is the regression of U·Bⱼ on this side's masks. So mask a pulls eᵢⱼ by Φ⁺ᵢₐ times its residual there, and the variance is
 * the sum of squared pulls, antithetic pairs added first. A first-order value is Θ times (1, p, …, p), from either side.
 * @param features U, [m, E]; @param other B, [1 + k, E]; @param theta [1 + n, 1 + k]
 */
export function variancesOf(r: Regressor, features: FloatTensor, other: Float64Array, theta: Float64Array, p: number): Variances {
  const n = r.players;
  const columns = other.length / features.shape[1];
  const residuals = products(features.data, other, features.shape[1]);
  const present = new Int32Array(n + 1);
  for (let m = 0; m < r.rows; m++) {
    const members = membersOf(r.coalitions, m, n, present);
    for (let t = 0; t < members; t++) for (let j = 0; j < columns; j++) residuals[m * columns + j] -= theta[present[t] * columns + j];
  }
  const share = (i: number): number => (i === 0 ? 1 : p);
  const mixed = Float64Array.from({ length: r.rows }, (_, m) => sumOver(columns, j => share(j) * residuals[m * columns + j]));
  const along = Float64Array.from({ length: r.rows }, (_, m) => sumOver(n + 1, i => share(i) * r.map[i * r.rows + m]));
  const inflate = r.rows / Math.max(1, r.rows - n - 1);
  /** Sum over pairs of masks of the squared pull. */
  const variance = (pull: (m: number) => number): number => {
    let sum = 0;
    for (let m = 0; m < r.rows; m += 2) sum += (pull(m) + (m + 1 < r.rows ? pull(m + 1) : 0)) ** 2;
    return inflate * sum;
  };
  const k = columns - 1;
  return {
    cross: Float64Array.from({ length: n * k }, (_, at) => {
      const [i, j] = [Math.floor(at / k) + 1, (at % k) + 1];
      return variance(m => r.map[i * r.rows + m] * residuals[m * columns + j]);
    }),
    own: Float64Array.from({ length: n }, (_, i) => variance(m => r.map[(i + 1) * r.rows + m] * mixed[m])),
    other: Float64Array.from({ length: k }, (_, j) => variance(m => along[m] * residuals[m * columns + j + 1])),
  };
}

/** Rows of a [m, width] times rows of b [k, width]: [m, k], in double precision. */
export function products(a: ArrayLike<number>, b: ArrayLike<number>, width: number): Float64Array {
  const [m, k] = [a.length / width, b.length / width];
  const out = new Float64Array(m * k);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < k; j++) {
      let sum = 0;
      for (let e = 0; e < width; e++) sum += a[i * width + e] * b[j * width + e];
      out[i * k + j] = sum;
    }
  return out;
}

/** Sum of `count` terms. */
export function sumOver(count: number, term: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += term(i);
  return sum;
}

/** @file The standard normal distribution in double precision. */
import { normalQuantile } from '../quantile.ts';

/** Density at `x`. */
export const normalDensity = (x: number): number => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);

/**
 * P(Z <= x), relative error below 1e-12 also far in the lower tail. Near zero the series x + x³/3 + x⁵/(3·5) + … times the density
 * (Abramowitz and Stegun 26.2.11), beyond |x| = 3 Laplace's continued fraction of Mills' ratio (26.2.14).
 */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return x;
  const size = Math.abs(x);
  if (size < 3) {
    let term = x;
    let total = x;
    for (let k = 3; Math.abs(term) > 1e-18 * Math.abs(total); k += 2) {
      term *= (x * x) / k;
      total += term;
    }
    return 0.5 + normalDensity(x) * total;
  }
  let ratio = size;
  for (let k = 120; k > 0; k--) ratio = size + k / ratio;
  const tail = normalDensity(size) / ratio;
  return x < 0 ? tail : 1 - tail;
}

/** Inverse of `normalCdf`, to about 1e-14 relative: the seven digits of `normalQuantile`, refined by Newton steps. 0 and 1 give ∓∞. */
export function preciseNormalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) return p === 0 ? Number.NEGATIVE_INFINITY : p === 1 ? Number.POSITIVE_INFINITY : Number.NaN;
  // The lower tail keeps its digits, the upper one does not.
  if (p > 0.5) return -preciseNormalQuantile(1 - p);
  let z = normalQuantile(p);
  for (let i = 0; i < 2; i++) z -= (normalCdf(z) - p) / normalDensity(z);
  return z;
}

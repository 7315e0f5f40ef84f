/** @file Mean, spread and quantiles of a sample. Too few values give NaN, never an exception. */

/** Sum with Neumaier's compensation: the error does not grow with the number of values. */
export function sum(values: ArrayLike<number>): number {
  let total = 0;
  let lost = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  // Infinite sums: the compensation is NaN there.
  return Number.isFinite(total) ? total + lost : total;
}

/** Arithmetic mean; NaN for an empty sample. */
export const mean = (values: ArrayLike<number>): number => sum(values) / values.length;

/** Unbiased variance (divides by n - 1), in two passes; NaN for fewer than two values. */
export function variance(values: ArrayLike<number>): number {
  if (values.length < 2) return Number.NaN;
  const centre = mean(values);
  return sum(Float64Array.from(values, v => (v - centre) ** 2)) / (values.length - 1);
}

/** Standard deviation, the root of the unbiased variance. */
export const standardDeviation = (values: ArrayLike<number>): number => Math.sqrt(variance(values));

/** Standard error of the mean of independent values. */
export const standardError = (values: ArrayLike<number>): number => Math.sqrt(variance(values) / values.length);

/**
 * Standard error of the mean when values come in clusters (questions on one image, seeds of one pair): the root of
 * G/(G-1) · Σ_g (Σ_{i in g} (x_i - mean))² / n², G clusters. With one value per cluster it equals `standardError`. This is the CR1 estimate
 * of a regression on a constant (Cameron and Miller, "A practitioner's guide to cluster-robust inference", 2015, section II.C).
 * NaN for fewer than two clusters.
 * @param clusters the cluster of each value. @throws RangeError when the lengths differ.
 */
export function clusteredStandardError(values: ArrayLike<number>, clusters: ArrayLike<string | number>): number {
  if (values.length !== clusters.length) throw new RangeError(`${values.length} values but ${clusters.length} cluster labels.`);
  const centre = mean(values);
  const totals = new Map<string | number, number>();
  for (let i = 0; i < values.length; i++) totals.set(clusters[i], (totals.get(clusters[i]) ?? 0) + values[i] - centre);
  if (totals.size < 2) return Number.NaN;
  const squares = sum(Array.from(totals.values(), v => v * v));
  return Math.sqrt((totals.size / (totals.size - 1)) * squares) / values.length;
}

/** Ascending copy in which NaN comes last. */
export const sorted = (values: ArrayLike<number>): Float64Array => Float64Array.from(values).sort();

/** Quantile of ascending values, `q` in [0, 1], linear between order statistics (numpy's default, type 7 of Hyndman and Fan 1996). */
export function quantileOfSorted(ascending: ArrayLike<number>, q: number): number {
  const last = ascending.length - 1;
  if (last < 0 || !(q >= 0 && q <= 1) || Number.isNaN(ascending[last])) return Number.NaN;
  const position = q * last;
  const below = Math.floor(position);
  const low = ascending[below];
  const high = ascending[Math.min(below + 1, last)];
  return low === high ? low : low + (high - low) * (position - below);
}

/** Quantile of a sample, see `quantileOfSorted`; NaN for an empty sample or one with a NaN. */
export const quantile = (values: ArrayLike<number>, q: number): number => quantileOfSorted(sorted(values), q);

/** Middle value; the mean of the two middle ones for an even number. */
export const median = (values: ArrayLike<number>): number => quantile(values, 0.5);

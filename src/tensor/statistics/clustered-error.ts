/** @file Standard errors of a mean over clusters (questions on one picture), by name. */
import { clusteredStandardError, mean, variance } from './descriptive.ts';

/**
 * Standard error by equation 4 of Miller ("Adding error bars to evals", arXiv 2411.00640) as lmms-eval has it: the plain one, squared, plus
 * the products of deviations of different values of one cluster, divided by n². The plain part divides by n(n - 1), the products by n², so
 * that clusters whose values cancel exactly still give an error above 0. NaN for fewer than two values.
 * @throws RangeError when the lengths differ
 */
export function millerStandardError(values: ArrayLike<number>, clusters: ArrayLike<string | number>): number {
  if (values.length !== clusters.length) throw new RangeError(`${values.length} values but ${clusters.length} cluster labels.`);
  const n = values.length;
  const centre = mean(values);
  const totals = new Map<string | number, [sum: number, squares: number]>();
  for (let i = 0; i < n; i++) {
    const d = values[i] - centre;
    const [total, squares] = totals.get(clusters[i]) ?? [0, 0];
    totals.set(clusters[i], [total + d, squares + d * d]);
  }
  let crossed = 0;
  for (const [total, squares] of totals.values()) crossed += total * total - squares;
  // Rounding may leave the sum of what cancels a little below 0.
  return Math.sqrt(Math.max(0, variance(values) / n + crossed / n ** 2));
}

/** Ways to a clustered standard error: `sums` of clusters (the default everywhere; see `clusteredStandardError`), or `miller` (lmms-eval). */
export const CLUSTERED_ERRORS = { sums: clusteredStandardError, miller: millerStandardError } as const;

/** A key of `CLUSTERED_ERRORS`. */
export type ClusteredError = keyof typeof CLUSTERED_ERRORS;

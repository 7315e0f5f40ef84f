/** @file Pearson's correlation with a p-value and an interval. */
import { type BootstrapOptions, bootstrap } from './bootstrap.ts';
import { preciseNormalQuantile } from './normal.ts';
import { pearson } from './rank.ts';
import { studentTwoSided } from './student-t.ts';

/** A correlation with its uncertainty. */
export interface Correlation {
  readonly r: number;
  readonly low: number;
  readonly high: number;
  readonly level: number;
  /** Two-sided, of no correlation: t = r √((n - 2) / (1 - r²)) with n - 2 degrees of freedom, as `scipy.stats.pearsonr`. */
  readonly pValue: number;
  /** Pairs. */
  readonly n: number;
  /** `fisher-z`: tanh(artanh r ± z / √(n - 3)), for both normal (Fisher, 1921). `bootstrap`: percentiles over resampled pairs. */
  readonly interval: 'fisher-z' | 'bootstrap';
}

/**
 * Pearson's r of pairs with an interval. NaN bounds for fewer than four pairs (`fisher-z`) or two (`bootstrap`), where a side does not vary, or,
 * with the bootstrap, where it does not vary in a resample.
 * @param resampling asks for the bootstrap; otherwise Fisher's z. @throws RangeError when the lengths differ
 */
export function correlate(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  level = 0.95,
  resampling?: Omit<BootstrapOptions, 'level'>,
): Correlation {
  const r = pearson(x, y);
  const n = x.length;
  const t = Math.abs(r) === 1 ? Number.POSITIVE_INFINITY : r * Math.sqrt((n - 2) / (1 - r * r));
  const pValue = n > 2 ? studentTwoSided(t, n - 2) : Number.NaN;
  if (resampling) {
    const pairs = Array.from(x, (value, i) => [value, y[i]] as const);
    const of = (drawn: (readonly [number, number])[]): number =>
      pearson(
        drawn.map(p => p[0]),
        drawn.map(p => p[1]),
      );
    const { low, high } = bootstrap(pairs, of, { method: 'percentile', ...resampling, level });
    return { r, low, high, level, pValue, n, interval: 'bootstrap' };
  }
  const half = n > 3 ? preciseNormalQuantile((1 + level) / 2) / Math.sqrt(n - 3) : Number.NaN;
  const z = Math.atanh(r);
  return { r, low: Math.tanh(z - half), high: Math.tanh(z + half), level, pValue, n, interval: 'fisher-z' };
}

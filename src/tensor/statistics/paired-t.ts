/** @file Student's t test of paired differences (Student, "The probable error of a mean", 1908), plain and clustered. */
import { CLUSTERED_ERRORS, type ClusteredError } from './clustered-error.ts';
import { mean, standardError } from './descriptive.ts';
import { studentHalfWidth, studentTwoSided } from './student-t.ts';

/** How `pairedT` works. */
export interface PairedTOptions {
  /** The cluster of each pair (its picture); without, every pair stands for itself. */
  readonly clusters?: ArrayLike<string | number>;
  /** How the clustered error is computed; default `sums`. */
  readonly error?: ClusteredError;
  /** Of the interval; default 0.95. */
  readonly level?: number;
}

/** The outcome of `pairedT`. */
export interface PairedTResult {
  /** Mean of a - b. */
  readonly difference: number;
  readonly standardError: number;
  readonly low: number;
  readonly high: number;
  readonly level: number;
  /** ±Infinity where all differences are the same and not 0. */
  readonly t: number;
  /** Two-sided. */
  readonly pValue: number;
  readonly degreesOfFreedom: number;
  /** Pairs. */
  readonly n: number;
  /** Clusters; equal to `n` without clusters. */
  readonly clusters: number;
}

/**
 * Tests whether the mean of a - b is zero. The interval and p-value are those of t with n - 1 degrees of freedom, or, with clusters, one
 * less than there are clusters (Cameron and Miller 2015, section VI.D). Only zeros give t = 0 and p = 1. Equal differences that are not zero
 * have no spread: p = 0, which says nothing about chance; `mcnemar` or `signFlipTest` do. Fewer than two pairs or clusters give NaN.
 * @throws RangeError when the lengths differ
 */
export function pairedT(a: ArrayLike<number>, b: ArrayLike<number>, options: PairedTOptions = {}): PairedTResult {
  const { clusters, error = 'sums', level = 0.95 } = options;
  if (a.length !== b.length) throw new RangeError(`A paired comparison needs samples of one length, got ${a.length} and ${b.length}.`);
  const differences = Float64Array.from(a, (value, i) => value - b[i]);
  const n = differences.length;
  const groups = clusters ? new Set(Array.from(clusters)).size : n;
  const spread = clusters ? CLUSTERED_ERRORS[error](differences, clusters) : standardError(differences);
  const counts = { degreesOfFreedom: Math.max(0, groups - 1), n, clusters: groups, level };
  if (groups < 2 || Number.isNaN(spread)) {
    const nan = Number.NaN;
    return { difference: nan, standardError: nan, low: nan, high: nan, t: nan, pValue: nan, ...counts };
  }
  const difference = mean(differences);
  const t = spread > 0 ? difference / spread : difference === 0 ? 0 : Math.sign(difference) * Number.POSITIVE_INFINITY;
  const half = spread * studentHalfWidth(level, groups - 1);
  const pValue = studentTwoSided(t, groups - 1);
  return { difference, standardError: spread, low: difference - half, high: difference + half, t, pValue, ...counts };
}

/** @file Bootstrap intervals (Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapters 13 and 14). */
import type { RandomStream } from '../random.ts';
import { mean, quantileOfSorted, sorted, standardDeviation } from './descriptive.ts';
import { normalCdf, preciseNormalQuantile } from './normal.ts';

/** How `bootstrap` works. */
export interface BootstrapOptions {
  /** Resample r draws its indices from (step, sample r) of this stream, so an interval does not depend on what else is computed. */
  readonly random: RandomStream;
  /** Step of the stream: give different ones to intervals that should not share resamples. Default 0. */
  readonly step?: number;
  /** Default 2000. */
  readonly resamples?: number;
  /** Default 0.95. */
  readonly level?: number;
  /** `bca` (bias-corrected and accelerated, the default) or `percentile`. */
  readonly method?: 'bca' | 'percentile';
}

/** A statistic with its uncertainty. */
export interface Estimate {
  /** The statistic of the sample itself. */
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
  /** Coverage aimed at, e.g. 0.95. */
  readonly level: number;
  /** Standard deviation of the statistic over resamples. */
  readonly standardError: number;
}

/**
 * Interval of any statistic of independent items (to resample clusters, let the items be clusters). BCa also evaluates the statistic once
 * without each item. Fewer than two items give NaN bounds; so does a statistic that is NaN on a resample.
 * @param statistic must not keep or change the array it is given.
 */
export function bootstrap<T>(items: ArrayLike<T>, statistic: (items: T[]) => number, options: BootstrapOptions): Estimate {
  const { random, step = 0, resamples = 2000, level = 0.95, method = 'bca' } = options;
  const all = Array.from(items);
  const n = all.length;
  const estimate = statistic(all.slice());
  if (n < 2) return { estimate, low: Number.NaN, high: Number.NaN, level, standardError: Number.NaN };
  const replicates = new Float64Array(resamples);
  const words = new Uint32Array(n);
  const resample = new Array<T>(n);
  for (let r = 0; r < resamples; r++) {
    random.words(step, r, words);
    for (let i = 0; i < n; i++) resample[i] = all[Math.floor(words[i] * 2 ** -32 * n)];
    replicates[r] = statistic(resample);
  }
  const leftOut = method === 'bca' ? Float64Array.from(all, (_, i) => statistic(all.toSpliced(i, 1))) : undefined;
  const [low, high] = bootstrapInterval(estimate, replicates, level, leftOut);
  return { estimate, low, high, level, standardError: standardDeviation(replicates) };
}

/**
 * The interval that replicates of a statistic give: percentiles, or BCa's where `leftOut` (the statistic without each item) is given. A bias
 * that cannot be estimated (all replicates on one side of the estimate) leaves the percentiles as they are.
 */
export function bootstrapInterval(
  estimate: number,
  replicates: ArrayLike<number>,
  level: number,
  leftOut?: ArrayLike<number>,
): [number, number] {
  const ascending = sorted(replicates);
  const tails = [(1 - level) / 2, (1 + level) / 2];
  const adjust = leftOut && adjustment(estimate, replicates, leftOut);
  const [low, high] = tails.map(tail => quantileOfSorted(ascending, adjust ? adjust(tail) : tail));
  return [low, high];
}

/** BCa's map from a tail probability to the percentile to read (equation 14.10), or undefined when the bias is beyond estimation. */
function adjustment(estimate: number, replicates: ArrayLike<number>, leftOut: ArrayLike<number>): ((tail: number) => number) | undefined {
  let below = 0;
  // Ties count half, so that a discrete statistic is not taken for a biased one.
  for (let r = 0; r < replicates.length; r++) below += replicates[r] < estimate ? 1 : replicates[r] === estimate ? 0.5 : 0;
  const bias = preciseNormalQuantile(below / replicates.length);
  if (!Number.isFinite(bias)) return undefined;
  const centre = mean(leftOut);
  let squares = 0;
  let cubes = 0;
  for (let i = 0; i < leftOut.length; i++) {
    const d = centre - leftOut[i];
    squares += d * d;
    cubes += d * d * d;
  }
  const acceleration = squares > 0 ? cubes / (6 * squares ** 1.5) : 0;
  return tail => {
    const z = bias + preciseNormalQuantile(tail);
    return normalCdf(bias + z / (1 - acceleration * z));
  };
}

/**
 * Interval of the mean of a - b over pairs measured on the same items; items are resampled, not the two samples apart.
 * @throws RangeError when the lengths differ.
 */
export function pairedBootstrap(a: ArrayLike<number>, b: ArrayLike<number>, options: BootstrapOptions): Estimate {
  if (a.length !== b.length) throw new RangeError(`A paired comparison needs samples of one length, got ${a.length} and ${b.length}.`);
  return bootstrap(
    Array.from(a, (value, i) => value - b[i]),
    mean,
    options,
  );
}

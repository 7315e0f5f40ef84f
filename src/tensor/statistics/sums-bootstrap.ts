/** @file Bootstrap intervals of a figure that is a function of sums (ratios, F1, sums of ratios): resamples add up what items hold. */
import { type BootstrapOptions, bootstrapInterval, type Estimate } from './bootstrap.ts';
import { standardDeviation } from './descriptive.ts';

/**
 * Interval of `figure(sum of the items)`, equal to `bootstrap(items, …)` but for rounding: BCa leaves one item out by subtraction, so a large
 * sample takes linear time. Fewer than two items give NaN bounds; so does a figure that is NaN on more than a twentieth of the resamples,
 * fewer are passed over.
 * @param items sums of each independent item (cluster), all of one length
 */
export function sumsBootstrap(
  items: readonly ArrayLike<number>[],
  figure: (sums: Float64Array) => number,
  { random, step = 0, resamples = 2000, level = 0.95, method = 'bca' }: BootstrapOptions,
): Estimate {
  const n = items.length;
  const width = n > 0 ? items[0].length : 0;
  const flat = new Float64Array(n * width);
  const total = new Float64Array(width);
  for (let i = 0, at = 0; i < n; i++)
    for (let j = 0; j < width; j++, at++) {
      flat[at] = items[i][j];
      total[j] += flat[at];
    }
  const estimate = figure(total);
  const none = { estimate, low: Number.NaN, high: Number.NaN, level, standardError: Number.NaN };
  if (n < 2 || Number.isNaN(estimate)) return none;
  const words = new Uint32Array(n);
  const sums = new Float64Array(width);
  const replicates = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    random.words(step, r, words);
    sums.fill(0);
    for (let i = 0; i < n; i++) {
      const at = Math.floor(words[i] * 2 ** -32 * n) * width;
      for (let j = 0; j < width; j++) sums[j] += flat[at + j];
    }
    replicates[r] = figure(sums);
  }
  const defined = replicates.filter(value => !Number.isNaN(value));
  if (defined.length < 0.95 * resamples) return none;
  const leftOut = method === 'bca' ? leaveOneOut(flat, total, figure) : undefined;
  const [low, high] = bootstrapInterval(estimate, defined, level, leftOut?.every(Number.isFinite) ? leftOut : undefined);
  return { estimate, low, high, level, standardError: standardDeviation(defined) };
}

function leaveOneOut(flat: Float64Array, total: Float64Array, figure: (sums: Float64Array) => number): Float64Array {
  const width = total.length;
  const rest = new Float64Array(width);
  return Float64Array.from({ length: flat.length / width }, (_, i) => {
    for (let j = 0; j < width; j++) rest[j] = total[j] - flat[i * width + j];
    return figure(rest);
  });
}

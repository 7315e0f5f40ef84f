/** @file Sign-flip permutation test of paired differences (Fisher, "The design of experiments", 1935, section 21). */
import type { RandomStream } from '../random.ts';
import { sum } from './descriptive.ts';

/** How `signFlipTest` works. */
export interface SignFlipOptions {
  /** Flips of resample r are the bits of (step, sample r) of this stream. */
  readonly random: RandomStream;
  /** Default 0. */
  readonly step?: number;
  /** Sign patterns drawn; all are gone through instead where there are no more than these. Default 9999. */
  readonly resamples?: number;
}

/** The outcome of `signFlipTest`. */
export interface SignFlipResult {
  /** Mean difference. */
  readonly mean: number;
  /** Two-sided: the share of sign patterns whose mean is at least as far from zero. */
  readonly pValue: number;
  readonly method: 'exact' | 'sampled';
  /** Patterns looked at. */
  readonly patterns: number;
}

/**
 * Tests whether the mean difference is zero when each difference may as well have the other sign. Sampled p-values are (hits + 1)/(draws + 1)
 * and never 0 (Phipson and Smyth, "Permutation p-values should never be zero", 2010). Differences of zero change nothing and are left out of
 * the enumeration. No difference at all, or a NaN among them, gives NaN.
 * @throws RangeError for fewer than one resample
 */
export function signFlipTest(differences: ArrayLike<number>, { random, step = 0, resamples = 9999 }: SignFlipOptions): SignFlipResult {
  if (!(resamples >= 1)) throw new RangeError(`A permutation test needs at least one resample, not ${resamples}.`);
  const total = sum(differences);
  const mean = total / differences.length;
  if (!(differences.length > 0) || Number.isNaN(total)) return { mean: Number.NaN, pValue: Number.NaN, method: 'exact', patterns: 0 };
  const sizes = Float64Array.from(differences, Math.abs).filter(d => d > 0);
  // Sums in another order differ in their last bits; patterns that tie with the observed one must count.
  const whole = sum(sizes);
  const goal = Math.abs(total) - 1e-12 * whole;
  if (2 ** sizes.length <= resamples) {
    const patterns = 2 ** sizes.length;
    return { mean, pValue: enumerate(sizes, whole, goal) / patterns, method: 'exact', patterns };
  }
  const words = new Uint32Array(Math.ceil(sizes.length / 32));
  let hits = 0;
  for (let r = 0; r < resamples; r++) {
    random.words(step, r, words);
    // The sum over random signs is the whole less twice what is flipped.
    let flipped = 0;
    for (let w = 0, i = 0; w < words.length; w++) {
      let bits = words[w];
      for (const end = Math.min(i + 32, sizes.length); i < end; i++, bits >>>= 1) flipped += (bits & 1) * sizes[i];
    }
    if (Math.abs(whole - 2 * flipped) >= goal) hits++;
  }
  return { mean, pValue: (hits + 1) / (resamples + 1), method: 'sampled', patterns: resamples };
}

/** Patterns whose sum is at least `goal` from zero, in Gray code order: one sign changes at a time. */
function enumerate(sizes: Float64Array, whole: number, goal: number): number {
  const sign = new Int8Array(sizes.length).fill(1);
  let current = whole;
  let hits = Math.abs(current) >= goal ? 1 : 0;
  for (let k = 1; k < 2 ** sizes.length; k++) {
    const i = 31 - Math.clz32(k & -k);
    sign[i] = -sign[i];
    current += 2 * sign[i] * sizes[i];
    if (Math.abs(current) >= goal) hits++;
  }
  return hits;
}

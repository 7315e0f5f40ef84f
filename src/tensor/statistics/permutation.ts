/** @file Sign-flip permutation test of paired differences (Fisher, "The design of experiments", 1935, section 21). */
import type { RandomStream } from '../random.ts';
import { sum } from './descriptive.ts';

/** How `signFlipTest` works. */
export interface SignFlipOptions {
  /** Flips are the bits of (step, sample) cells of this stream, 1024 resamples from each sample. */
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
  const hits = sample(sizes, whole, goal, resamples, (block, words) => random.words(step, block, words));
  return { mean, pValue: (hits + 1) / (resamples + 1), method: 'sampled', patterns: resamples };
}

/** Resamples whose random bits are drawn at once. */
const BLOCK = 1024;

/** Random patterns whose sum is at least `goal` from zero. Eight signs are one byte: their sums stand in a table. */
function sample(
  sizes: Float64Array,
  whole: number,
  goal: number,
  resamples: number,
  draw: (block: number, words: Uint32Array) => Uint32Array,
): number {
  const perRow = Math.ceil(sizes.length / 32);
  const table = new Float64Array(perRow * 4 * 256);
  for (let byte = 0; byte < perRow * 4; byte++)
    for (let bits = 1; bits < 256; bits++) {
      const size = sizes[byte * 8 + 31 - Math.clz32(bits & -bits)] ?? 0;
      table[byte * 256 + bits] = table[byte * 256 + (bits & (bits - 1))] + size;
    }
  const words = new Uint32Array(BLOCK * perRow);
  let hits = 0;
  for (let r = 0; r < resamples; r++) {
    if (r % BLOCK === 0) draw(r / BLOCK, words);
    // The sum over random signs is the whole less twice what is flipped.
    let flipped = 0;
    for (let w = 0, at = (r % BLOCK) * perRow, row = 0; w < perRow; w++, at++, row += 1024) {
      const bits = words[at];
      flipped += table[row + (bits & 255)] + table[row + 256 + ((bits >>> 8) & 255)];
      flipped += table[row + 512 + ((bits >>> 16) & 255)] + table[row + 768 + (bits >>> 24)];
    }
    if (Math.abs(whole - 2 * flipped) >= goal) hits++;
  }
  return hits;
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

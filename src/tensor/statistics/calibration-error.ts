/** @file Expected calibration error: how far stated probabilities lie from how often they are right. */

/**
 * How answers are put into bins. `equal-width`: bins ((m − 1)/M, m/M], 0 in the first (Guo et al., "On calibration of modern neural networks",
 * arXiv 1706.04599, section 2). `equal-mass`: by rank, as many in each as can be; equal probabilities stay together (Nguyen and O'Connor,
 * arXiv 1508.05154, section 3).
 */
export type Binning = 'equal-width' | 'equal-mass';

/** The bin of each probability. */
function binsOf(confidence: ArrayLike<number>, bins: number, binning: Binning): number[] {
  if (binning === 'equal-width') return Array.from(confidence, p => Math.max(0, Math.ceil(p * bins) - 1));
  const out = new Array<number>(confidence.length);
  const order = Array.from(confidence, (_, i) => i).sort((a, b) => confidence[a] - confidence[b]);
  for (const [rank, i] of order.entries()) {
    const before = order[rank - 1];
    out[i] = rank > 0 && confidence[i] === confidence[before] ? out[before] : Math.floor((rank * bins) / order.length);
  }
  return out;
}

/**
 * Σ_b n_b/n · |share of right answers in b − mean probability in b|, 0 to 1. NaN without answers, or where a probability is NaN. With few answers
 * it is above 0 even for probabilities that are right: compare sets of one size.
 * @param confidence probability that each answer was given with, 0 to 1 @param correct whether it was right
 * @param options 15 bins of equal width, as Guo et al. have it
 * @throws RangeError when the lengths differ, for a probability outside [0, 1], or bins that are no positive whole number
 */
export function calibrationError(
  confidence: ArrayLike<number>,
  correct: ArrayLike<boolean>,
  { bins = 15, binning = 'equal-width' }: { readonly bins?: number; readonly binning?: Binning } = {},
): number {
  const n = confidence.length;
  if (n !== correct.length) throw new RangeError(`${n} probabilities but ${correct.length} answers.`);
  if (!(Number.isInteger(bins) && bins > 0)) throw new RangeError(`The number of bins is a positive whole number; got ${bins}.`);
  const wrong = Array.from(confidence).find(p => p < 0 || p > 1);
  if (wrong !== undefined) throw new RangeError(`A probability lies between 0 and 1; got ${wrong}.`);
  if (n === 0 || Array.from(confidence).some(Number.isNaN)) return Number.NaN;
  const gaps = new Float64Array(bins);
  for (const [i, bin] of binsOf(confidence, bins, binning).entries()) gaps[bin] += Number(correct[i]) - confidence[i];
  return gaps.reduce((total, gap) => total + Math.abs(gap), 0) / n;
}

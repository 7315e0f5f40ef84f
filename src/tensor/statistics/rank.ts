/** @file Correlations of two samples. A constant sample, or fewer than two values, gives NaN. */
import { mean } from './descriptive.ts';

function checkLengths(x: ArrayLike<number>, y: ArrayLike<number>): void {
  if (x.length !== y.length) throw new RangeError(`A correlation needs samples of one length, got ${x.length} and ${y.length}.`);
}

/** Ranks from 1; tied values share the mean of their ranks. */
export function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from(values, (_, i) => i).sort((a, b) => values[a] - values[b]);
  const out = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    for (let i = start; i < end; i++) out[order[i]] = (start + 1 + end) / 2;
    start = end;
  }
  return out;
}

/** Pearson's correlation. @throws RangeError when the lengths differ. */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number {
  checkLengths(x, y);
  const meanX = mean(x);
  const meanY = mean(y);
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (let i = 0; i < x.length; i++) {
    const dx = x[i] - meanX;
    const dy = y[i] - meanY;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  if (xx === 0 || yy === 0) return Number.NaN;
  // One root of the product is exact for samples in proportion; the product may leave the range of doubles where its factors do not.
  const product = xx * yy;
  const scale = product > 1e-200 && product < 1e200 ? Math.sqrt(product) : Math.sqrt(xx) * Math.sqrt(yy);
  return Math.min(1, Math.max(-1, xy / scale));
}

/** Spearman's rank correlation: Pearson's on ranks, ties by mean rank. NaN when a value is NaN. @throws RangeError when the lengths differ. */
export function spearman(x: ArrayLike<number>, y: ArrayLike<number>): number {
  checkLengths(x, y);
  if (Number.isNaN(mean(x)) || Number.isNaN(mean(y))) return Number.NaN;
  return pearson(ranks(x), ranks(y));
}

/**
 * Kendall's tau-b: (concordant - discordant) / sqrt((pairs not tied in x)(pairs not tied in y)). Compares every pair: O(n²), about 0.6 s for 10 000
 * values. @throws RangeError when the lengths differ.
 */
export function kendall(x: ArrayLike<number>, y: ArrayLike<number>): number {
  checkLengths(x, y);
  let score = 0;
  let untiedX = 0;
  let untiedY = 0;
  for (let i = 1; i < x.length; i++) {
    for (let j = 0; j < i; j++) {
      const dx = Math.sign(x[i] - x[j]);
      const dy = Math.sign(y[i] - y[j]);
      score += dx * dy;
      untiedX += dx * dx;
      untiedY += dy * dy;
    }
  }
  if (untiedX === 0 || untiedY === 0) return Number.NaN;
  return score / Math.sqrt(untiedX * untiedY);
}

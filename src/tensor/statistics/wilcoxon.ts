/** @file Wilcoxon's signed-rank test of paired differences (Wilcoxon, "Individual comparisons by ranking methods", 1945; Pratt, 1959). */
import { normalCdf } from './normal.ts';
import { ranks } from './rank.ts';

/** How `wilcoxon` works. */
export interface WilcoxonOptions {
  /** `wilcox` (default) leaves zeros out; `pratt` ranks them with the rest, then leaves their ranks out. */
  readonly zeros?: 'wilcox' | 'pratt';
  /**
   * `exact` counts the sign patterns of the ranks at hand, tied or not; `normal` corrects the variance for ties and left-out zeros.
   * `auto` (default) is exact up to 50 differences that are not zero.
   */
  readonly method?: 'auto' | 'exact' | 'normal';
  /** Normal approximation: moves the statistic by ½ towards its mean. Default false. */
  readonly continuity?: boolean;
}

/** The outcome of `wilcoxon`. */
export interface WilcoxonResult {
  /** Sums of the ranks of positive and of negative differences. */
  readonly positive: number;
  readonly negative: number;
  /** Two-sided. */
  readonly pValue: number;
  /** Differences that are not zero. */
  readonly used: number;
  readonly zeros: number;
  readonly method: 'exact' | 'normal';
  /** The normal approximation's statistic, positive where differences are mostly positive. */
  readonly z?: number;
}

/** Most differences for which sign patterns are counted by `auto`. */
const EXACT = 50;
/** Beyond, counting takes too long. */
const EXACT_LIMIT = 1000;

/**
 * Tests whether differences lie symmetrically about zero. Only zeros give p = 1; no difference at all, or a NaN among them, gives NaN.
 * @throws RangeError for an exact test of more than 1000 differences
 */
export function wilcoxon(differences: ArrayLike<number>, options: WilcoxonOptions = {}): WilcoxonResult {
  const { zeros: treatment = 'wilcox', method: wanted = 'auto', continuity = false } = options;
  const all = Array.from(differences);
  const nonzero = all.filter(d => d !== 0);
  const used = nonzero.length;
  const zeros = all.length - used;
  const method = wanted === 'auto' ? (used <= EXACT ? 'exact' : 'normal') : wanted;
  if (method === 'exact' && used > EXACT_LIMIT)
    throw new RangeError(`An exact Wilcoxon test takes at most ${EXACT_LIMIT} differences, not ${used}; use the normal approximation.`);
  const nan = { positive: Number.NaN, negative: Number.NaN, pValue: Number.NaN, used, zeros, method };
  if (all.length === 0 || all.some(Number.isNaN)) return nan;
  if (used === 0) return { ...nan, positive: 0, negative: 0, pValue: 1 };
  const ranked = treatment === 'pratt' ? all : nonzero;
  const rank = ranks(ranked.map(Math.abs));
  const kept = rank.filter((_, i) => ranked[i] !== 0);
  let positive = 0;
  let negative = 0;
  ranked.forEach((d, i) => {
    if (d > 0) positive += rank[i];
    else if (d < 0) negative += rank[i];
  });
  const found = { positive, negative, used, zeros, method } as const;
  if (method === 'exact') return { ...found, pValue: exactP(kept, Math.min(positive, negative)) };
  // Mean Σr/2 and variance Σr²/4 of a sum over random signs: ties and left-out zeros are in the ranks already.
  const spread = Math.sqrt(kept.reduce((total, r) => total + r * r, 0)) / 2;
  const shift = positive - (positive + negative) / 2;
  const z = (shift - (continuity ? 0.5 * Math.sign(shift) : 0)) / spread;
  return { ...found, z, pValue: Math.min(1, 2 * normalCdf(-Math.abs(z))) };
}

/** Twice the share of sign patterns with a rank sum of at most `least`; mean ranks of ties are halves, so sums are counted in halves. */
function exactP(kept: Float64Array, least: number): number {
  const goal = Math.round(2 * least);
  // Only sums up to the goal matter: they cannot come from larger ones.
  const share = new Float64Array(goal + 1);
  share[0] = 1;
  for (const r of kept) {
    const step = Math.round(2 * r);
    for (let s = goal; s >= 0; s--) share[s] = (share[s] + (s >= step ? share[s - step] : 0)) / 2;
  }
  return Math.min(1, 2 * share.reduce((a, b) => a + b, 0));
}

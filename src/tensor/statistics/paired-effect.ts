/** @file Sizes of a paired difference, in addition to its tests, and where the spread of repeated measurements comes from. */
import { mean, standardDeviation, sum } from './descriptive.ts';
import { wilcoxon } from './wilcoxon.ts';

/** How large a difference is, without units. NaN differences are left out. */
export interface PairedEffect {
  /** Pairs with a positive difference, none, and a negative one. */
  readonly wins: number;
  readonly ties: number;
  readonly losses: number;
  /** Mean over standard deviation of the differences (Cohen's d_z); NaN for fewer than two or equal ones. */
  readonly standardised: number;
  /** Matched-pairs rank-biserial correlation, from -1 to 1: (W₊ - W₋)/(W₊ + W₋) (Kerby, 2014); 0 for only zeros, NaN for none. */
  readonly rankBiserial: number;
}

/** The effect of differences. */
export function pairedEffect(differences: ArrayLike<number>): PairedEffect {
  const known = Array.from(differences).filter(d => !Number.isNaN(d));
  const wins = known.filter(d => d > 0).length;
  const losses = known.filter(d => d < 0).length;
  const spread = standardDeviation(known);
  const { positive, negative } = wilcoxon(known, { method: 'normal' });
  return {
    wins,
    losses,
    ties: known.length - wins - losses,
    standardised: spread > 0 ? mean(known) / spread : Number.NaN,
    rankBiserial: positive + negative === 0 ? 0 : (positive - negative) / (positive + negative),
  };
}

/** Spread of a table of pairs by seeds, taken apart. Standard deviations. */
export interface VarianceComponents {
  /** Of the values of one pair over seeds; NaN when no pair has two. */
  readonly within: number;
  /** Of the pairs' true means: what more seeds cannot take away; 0 where seeds explain all; NaN for fewer than two pairs. */
  readonly between: number;
  /** Share of the variance that is between pairs (intraclass correlation). */
  readonly intraclass: number;
}

/**
 * One-way random effects by the method of moments, for unequal numbers of seeds too: between² = (MS_b - MS_w)/n₀ with
 * n₀ = (N - Σn_i²/N)/(k - 1) (Searle, Casella and McCulloch, "Variance components", 1992, section 3.6). NaN values are left out.
 */
export function varianceComponents(table: readonly ArrayLike<number>[]): VarianceComponents {
  const rows = table.map(row => Array.from(row).filter(v => !Number.isNaN(v))).filter(row => row.length > 0);
  const all = rows.flat();
  const means = rows.map(mean);
  const squares = sum(rows.flatMap((row, i) => row.map(v => (v - means[i]) ** 2)));
  const free = all.length - rows.length;
  const withinVariance = free > 0 ? squares / free : Number.NaN;
  if (rows.length < 2) return { within: Math.sqrt(withinVariance), between: Number.NaN, intraclass: Number.NaN };
  const centre = mean(all);
  const betweenSquares = sum(rows.map((row, i) => row.length * (means[i] - centre) ** 2)) / (rows.length - 1);
  const size = (all.length - sum(rows.map(row => row.length ** 2)) / all.length) / (rows.length - 1);
  const betweenVariance = Math.max(0, (betweenSquares - withinVariance) / size);
  return {
    within: Math.sqrt(withinVariance),
    between: Math.sqrt(betweenVariance),
    intraclass: betweenVariance / (betweenVariance + withinVariance),
  };
}

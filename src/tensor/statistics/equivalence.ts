/**
 * @file Whether an effect is small enough not to matter: two one-sided tests (Schuirmann, "A comparison of the two one-sided tests procedure
 * and the power approach", 1987).
 */
import { normalCdf } from './normal.ts';
import { studentHalfWidth, studentTwoSided } from './student-t.ts';

/** An effect with its standard error. */
export interface MeasuredEffect {
  readonly estimate: number;
  readonly standardError: number;
}

/** The outcome of `equivalence`. */
export interface Equivalence {
  /** Of "the effect is as large as the margin or larger", on the side that is nearer: small where it is shown to be smaller. */
  readonly pValue: number;
  /** The interval of level 1 − 2 `level`: it lies within ±margin just where p < level. */
  readonly low: number;
  readonly high: number;
}

/** P(T <= t) of Student's t, or of the normal distribution for infinitely many degrees of freedom. */
function lowerTail(t: number, free: number): number {
  if (free === Number.POSITIVE_INFINITY) return normalCdf(t);
  const tail = studentTwoSided(t, free) / 2;
  return t < 0 ? tail : 1 - tail;
}

/**
 * Two-sided p of "the effect is zero", by Student's t. Without spread: 1 where the effect is 0, else 0. NaN where the error is, or where no
 * degree of freedom is left. @param degreesOfFreedom Infinity (the default): the normal distribution
 */
export function twoSidedP({ estimate, standardError }: MeasuredEffect, degreesOfFreedom = Number.POSITIVE_INFINITY): number {
  if (!(degreesOfFreedom > 0) || Number.isNaN(standardError)) return Number.NaN;
  if (standardError === 0) return estimate === 0 ? 1 : 0;
  return 2 * lowerTail(-Math.abs(estimate) / standardError, degreesOfFreedom);
}

/**
 * Tests "|effect| >= margin" against "|effect| < margin": p is the greater of the two one-sided p-values P(T >= (margin + effect)/error) and
 * P(T >= (margin − effect)/error). Without spread it is 0 within the margin and 1 outside. NaN as in `twoSidedP`.
 * @param margin the smallest effect of interest, in the effect's unit
 * @param level of the one-sided tests; only the interval depends on it
 * @throws RangeError for a margin that is not above 0, or a level outside (0, 0.5)
 */
export function equivalence(
  { estimate, standardError }: MeasuredEffect,
  margin: number,
  { degreesOfFreedom = Number.POSITIVE_INFINITY, level = 0.05 }: { readonly degreesOfFreedom?: number; readonly level?: number } = {},
): Equivalence {
  if (!(margin > 0)) throw new RangeError(`The smallest effect of interest is above 0; got ${margin}.`);
  if (!(level > 0 && level < 0.5)) throw new RangeError(`The level of a one-sided test lies between 0 and 0.5; got ${level}.`);
  if (!(degreesOfFreedom > 0) || Number.isNaN(standardError)) return { pValue: Number.NaN, low: Number.NaN, high: Number.NaN };
  if (standardError === 0) return { pValue: Math.abs(estimate) < margin ? 0 : 1, low: estimate, high: estimate };
  // Beyond so many degrees of freedom Student's t is the normal distribution to more digits than a p-value is read with.
  const width = studentHalfWidth(1 - 2 * level, Math.min(degreesOfFreedom, 1e9)) * standardError;
  const pValue = lowerTail((Math.abs(estimate) - margin) / standardError, degreesOfFreedom);
  return { pValue, low: estimate - width, high: estimate + width };
}

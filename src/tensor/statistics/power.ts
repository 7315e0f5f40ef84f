/** @file How many questions it takes to see a difference, and how small a difference some questions show (paired, normal approximation). */
import { normalCdf, preciseNormalQuantile } from './normal.ts';

/** What the calculation assumes. */
export interface PowerOptions {
  /** Chance of a false finding, two-sided. Default 0.05. */
  readonly alpha?: number;
  /** Chance to find a difference that is there. Default 0.8. */
  readonly power?: number;
  /**
   * How much more the mean varies than for independent questions: the squared ratio of the clustered to the plain standard error of the
   * differences (Kish's design effect). Default 1.
   */
  readonly designEffect?: number;
}

/**
 * Standard deviation of the difference of two scores with these standard deviations and this correlation over questions:
 * sqrt(a² + b² - 2 r a b). lmms-eval's defaults: 0.5, 0.5 and 0.5. @throws RangeError for impossible values
 */
export function differenceDeviation(a = 0.5, b = 0.5, correlation = 0.5): number {
  if (!(a >= 0 && b >= 0 && Math.abs(correlation) <= 1))
    throw new RangeError(`Standard deviations are 0 or more and a correlation lies between -1 and 1; got ${a}, ${b} and ${correlation}.`);
  return Math.sqrt(Math.max(0, a * a + b * b - 2 * correlation * a * b));
}

function quantiles({ alpha = 0.05, power = 0.8, designEffect = 1 }: PowerOptions): { alphaZ: number; powerZ: number; inflate: number } {
  for (const [name, value] of Object.entries({ alpha, power }))
    if (!(value > 0 && value < 1)) throw new RangeError(`${name} lies between 0 and 1; got ${value}.`);
  if (!(designEffect > 0)) throw new RangeError(`A design effect is above 0; got ${designEffect}.`);
  return { alphaZ: preciseNormalQuantile(1 - alpha / 2), powerZ: preciseNormalQuantile(power), inflate: designEffect };
}

/**
 * The least number of questions that shows a difference of `effect`: ((z_{1-α/2} + z_{power}) · deviation / effect)², rounded up (Miller,
 * arXiv 2411.00640, section 5; lmms-eval's `power_analysis`). A difference of 0 takes Infinity.
 * @param deviation standard deviation over questions of the paired differences, measured or by `differenceDeviation`
 * @throws RangeError for a negative deviation, or a NaN
 */
export function questionsNeeded(effect: number, deviation: number, options: PowerOptions = {}): number {
  if (!(deviation >= 0) || Number.isNaN(effect))
    throw new RangeError(`Cannot plan for an effect of ${effect} and a deviation of ${deviation}.`);
  const { alphaZ, powerZ, inflate } = quantiles(options);
  if (effect === 0) return Number.POSITIVE_INFINITY;
  return Math.max(2, Math.ceil(((alphaZ + powerZ) * (deviation / effect)) ** 2 * inflate));
}

/**
 * Chance that `n` questions show a difference of `effect`: Φ(|effect| √n / deviation - z_{1-α/2}); that it is found with the wrong sign is left
 * out, as lmms-eval does. @throws RangeError for fewer than one question
 */
export function powerOf(n: number, effect: number, deviation: number, options: PowerOptions = {}): number {
  if (!(n >= 1)) throw new RangeError(`The power of ${n} questions is not defined.`);
  const { alphaZ, inflate } = quantiles(options);
  if (effect === 0) return normalCdf(-alphaZ);
  return normalCdf((Math.abs(effect) / deviation) * Math.sqrt(n / inflate) - alphaZ);
}

/** The smallest difference that `n` questions show with the wanted power. @throws RangeError for fewer than one question */
export function smallestEffect(n: number, deviation: number, options: PowerOptions = {}): number {
  if (!(n >= 1)) throw new RangeError(`The power of ${n} questions is not defined.`);
  const { alphaZ, powerZ, inflate } = quantiles(options);
  return (alphaZ + powerZ) * deviation * Math.sqrt(inflate / n);
}

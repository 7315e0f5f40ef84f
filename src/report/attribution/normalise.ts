/** @file From raw values to the 0–1 of a picture, and to the ticks of its colour bar. For display only: results stay raw. */

import type { Attribution } from '../../attribution/result.ts';
import { NarrowsError } from '../../system/errors.ts';

/** What the numbers next to a picture are. */
export type DisplayUnit = 'nats' | 'bits' | 'score';

/** How a map is scaled for display. */
export interface ScaleOptions {
  /** Unit of the ticks; default the result's own (`nats` or `score`). */
  readonly unit?: DisplayUnit;
  /** Share of the total mass, in percent, above which values are clipped, as Captum's `outlier_perc`. Default 0: nothing is clipped. */
  readonly outlierPercent?: number;
  /** Where an unsigned scale begins: at 0 (default) or at the smallest value. */
  readonly from?: 'zero' | 'min';
  /** Symmetric about zero; default: when values below zero reach 2 % of the largest magnitude. */
  readonly signed?: boolean;
  /** Fixes the upper end (raw unit), so that several pictures share one scale. */
  readonly high?: number;
}

/** A tick of the colour bar: its place (0 bottom, 1 top) and its text. */
export interface Tick {
  readonly position: number;
  readonly label: string;
}

/** A display scale: raw `low` and `high` are the ends of the colour map. `factor` turns raw values into the unit shown. */
export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly signed: boolean;
  readonly unit: DisplayUnit;
  readonly factor: number;
  /** True when some values lie beyond the ends. */
  readonly clipped: boolean;
  readonly ticks: readonly Tick[];
}

/** Factor from a result's raw unit to the unit shown. @throws NarrowsError for bits of a unitless score. */
export function unitFactor(raw: Attribution['unit'], unit: DisplayUnit): number {
  if (raw === unit) return 1;
  if (raw === 'nats' && unit === 'bits') return Math.LOG2E;
  throw new NarrowsError(`Values in '${raw}' cannot be shown in '${unit}'; leave the unit out.`, { kind: 'usage' });
}

/**
 * Smallest value at which the running sum of the sorted magnitudes reaches `100 - percent` percent of the whole
 * (Captum's visualisation normalises by this). 0 for no values.
 */
export function outlierThreshold(values: ArrayLike<number>, percent: number): number {
  const sorted = Float64Array.from(values, Math.abs).sort();
  const goal = sorted.reduce((a, b) => a + b, 0) * (1 - percent / 100) * (1 - 1e-12);
  let sum = 0;
  for (const value of sorted) {
    sum += value;
    if (sum >= goal) return value;
  }
  return sorted.at(-1) ?? 0;
}

/** Round tick values within [low, high]: multiples of 1, 2, 2.5 or 5 times a power of ten, about `count` of them. */
export function niceTicks(low: number, high: number, count = 5): { values: number[]; digits: number } {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return { values: [low], digits: 0 };
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  // Compared as chosen: 0.00025 / 0.0001 is not 2.5 to the last bit, and its ticks would be rounded to other values.
  const multiple = [1, 2, 2.5, 5, 10].find(m => m * power >= rough * 0.999) ?? 10;
  const step = power * multiple;
  const half = multiple === 2.5 ? 1 : 0;
  const digits = Math.max(0, -Math.floor(Math.log10(power) + 1e-9) + half - (multiple === 10 ? 1 : 0));
  const values: number[] = [];
  for (let k = Math.ceil(low / step - 1e-6); k * step <= high + step * 1e-6; k++) values.push(k * step + 0);
  return { values, digits };
}

/** A number with a true minus sign; very large ones, and small ones where six digits don't reach, in powers of ten (`2.5e−7`). */
export function formatValue(value: number, digits = 2): string {
  if (!Number.isFinite(value)) return '–';
  const magnitude = Math.abs(value);
  const tiny = (digits >= 6 && magnitude !== 0 && magnitude < 1e-5) || magnitude >= 1e6;
  const text = tiny ? value.toExponential(1) : value.toFixed(digits);
  return (Number(text) === 0 ? text.replace('-', '') : text).replace(/-/g, '−');
}

/** Digits behind the point that make the numbers of one panel readable: 2 for 0.1–100, more for smaller ones. */
export function digitsFor(high: number): number {
  if (high === 0 || !Number.isFinite(high)) return 1;
  const magnitude = Math.floor(Math.log10(Math.abs(high)));
  return Math.min(6, magnitude >= 3 ? 0 : magnitude >= 1 ? 1 : magnitude === 0 ? 2 : 1 - magnitude);
}

/**
 * Maps that hold less than a bit in all shall not look hot: their scale ends where it would if they held one, so that the strongest value of a
 * map of 0.1 bits gets a tenth of the scale.
 */
function dimming(values: ArrayLike<number>, raw: Attribution['unit'], signed: boolean): number {
  if (raw !== 'nats' || signed) return 1;
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  const bits = total * Math.LOG2E;
  return bits > 0 && bits < 1 ? 1 / bits : 1;
}

/** Share of the largest magnitude up to which negative values are drawn as 0: a bar with two sides for them would say nothing. */
export const NEGLIGIBLE = 0.02;

/** Chooses the display scale of one map (`values` raw). @throws NarrowsError for a bad percentage or a value that is not finite. */
export function displayScale(values: ArrayLike<number>, raw: Attribution['unit'], options: ScaleOptions = {}): Scale {
  const percent = options.outlierPercent ?? 0;
  if (!(percent >= 0 && percent < 100)) {
    throw new NarrowsError(`The clipped share must lie between 0 and 100 percent, not ${percent}.`, { kind: 'usage' });
  }
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) throw new NarrowsError(`The map holds ${values[i]} at position ${i}; a picture needs finite values.`);
    least = Math.min(least, values[i]);
    most = Math.max(most, values[i]);
  }
  if (values.length === 0) [least, most] = [0, 0];
  const extreme = Math.max(Math.abs(least), Math.abs(most));
  const signed = options.signed ?? least < -NEGLIGIBLE * extreme;
  const high =
    options.high ?? dimming(values, raw, signed) * (percent > 0 ? outlierThreshold(values, percent) : signed ? extreme : Math.max(0, most));
  const low = signed ? -high : options.from === 'min' ? Math.min(least, high) : 0;
  const unit = options.unit ?? raw;
  const factor = unitFactor(raw, unit);
  const { values: at, digits } = niceTicks(low * factor, high * factor, signed ? 4 : 4);
  const exponent = Math.max(Math.abs(low), Math.abs(high)) * factor;
  const plain = exponent === 0 || (exponent >= 1e-4 && exponent < 1e6);
  const ticks = at.map(value => ({
    position: high > low ? (value / factor - low) / (high - low) : 0,
    label: (plain ? formatValue(value, digits) : value === 0 ? '0' : value.toExponential(1)).replace(/-/g, '−'),
  }));
  return { low, high, signed, unit, factor, clipped: most > high * (1 + 1e-9) || least < low - 1e-9 * extreme, ticks };
}

/** Place of a raw value on the colour map, clamped to 0–1; an empty scale gives 0 (0.5 when signed). */
export function positionOf(scale: Scale, value: number): number {
  if (!(scale.high > scale.low)) return scale.signed ? 0.5 : 0;
  return Math.min(1, Math.max(0, (value - scale.low) / (scale.high - scale.low)));
}

/** Strength of a raw value for transparency, 0–1: its place, or its distance from zero when signed. */
export function strengthOf(scale: Scale, value: number): number {
  const position = positionOf(scale, value);
  return scale.signed ? Math.abs(2 * position - 1) : position;
}

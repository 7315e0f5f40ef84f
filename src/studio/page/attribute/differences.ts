/** @file The difference of two maps in numbers: in their unit where both have nats, else in shares of each map's whole. */
import { digitsFor, formatValue, type Scale } from '../../../report/attribution/normalise.ts';
import type { ImageMap, Shown } from './maps.ts';

/** A difference of two maps. */
export interface Difference {
  readonly map: ImageMap;
  readonly unit: Shown['unit'];
  /** In percent of each map's whole. */
  readonly shares: boolean;
  /** What is subtracted from what, in the same numbers. */
  readonly parts: readonly [first: Float32Array, second: Float32Array];
}

/** First minus second, and what the numbers are. Undefined where the maps have other patches. */
export function differenceOf(first: Shown, second: Shown): Difference | undefined {
  const [a, b] = [first.image, second.image];
  if (!a || !b || a.grid[0] !== b.grid[0] || a.grid[1] !== b.grid[1]) return undefined;
  const shares = first.unit !== 'nats' || second.unit !== 'nats';
  const scaled = ({ patches }: ImageMap): Float32Array => {
    const whole = patches.reduce((sum, value) => sum + Math.abs(value), 0) || 1;
    return shares ? patches.map(value => (100 * value) / whole) : patches;
  };
  const [one, other] = [scaled(a), scaled(b)];
  const patches = one.map((value, i) => value - other[i]);
  return { map: { grid: a.grid, view: a.view, patches }, unit: shares ? 'score' : 'nats', shares, parts: [one, other] };
}

/** `row 3, column 4: 12.1 and 1.3, difference 10.8 percent`; in nats or bits where both maps have these. */
export function differenceText(patch: number, { map, parts, shares }: Difference, scale: Scale): string {
  if (!(patch < map.patches.length)) return '';
  const columns = map.grid[1];
  const digits = digitsFor(Math.max(Math.abs(scale.low), scale.high) * scale.factor);
  const [one, other, both] = [...parts, map.patches].map(values => formatValue(values[patch] * scale.factor, digits));
  const where = `row ${Math.floor(patch / columns) + 1}, column ${(patch % columns) + 1}`;
  return `${where}: ${one} and ${other}, difference ${both} ${shares ? 'percent' : scale.unit}`;
}

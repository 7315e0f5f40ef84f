/** @file One scale for many maps, so that their pictures can be compared: of an audit, of a list of results. */
import type { Attribution } from '../../attribution/result.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type DisplayUnit, displayScale, NEGLIGIBLE, type Scale } from './normalise.ts';

/** A scale with what it means for the maps that it was made for. */
export interface CommonScale {
  readonly scale: Scale;
  /** Maps in all. */
  readonly maps: number;
  /** Maps with a value beyond its end, which are drawn as if it were the end. */
  readonly beyond: number;
}

/** Share of the maps whose strongest values lie within the scale: one extreme map among a hundred shall not darken the others. */
const WITHIN = 0.98;

/** A map of less than a bit reaches at most the share of the scale that it has of a bit, or this. */
const DIM = 0.25;

/**
 * The scale: its end is the strongest value of 98 % of the maps (of all, where there are fewer than 50). Where that is a map of less than one
 * bit in all, the end lies further out, as for the map by itself; and no other map of less than a bit reaches more than a quarter of the scale
 * unless it has more than a quarter of a bit.
 * @param maps raw values; read once, one at a time
 * @returns undefined where there is no map
 * @throws NarrowsError for a value that is not finite, or bits of a unitless score
 */
export function commonScale(maps: Iterable<ArrayLike<number>>, raw: Attribution['unit'], unit?: DisplayUnit): CommonScale | undefined {
  const [strongest, bits]: [number[], number[]] = [[], []];
  let [least, most] = [0, 0];
  for (const values of maps) {
    let [extreme, total] = [0, 0];
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(values[i])) throw new NarrowsError(`A map holds ${values[i]} at position ${i}; a picture needs finite values.`);
      least = Math.min(least, values[i]);
      most = Math.max(most, values[i]);
      extreme = Math.max(extreme, Math.abs(values[i]));
      total += values[i];
    }
    strongest.push(extreme);
    bits.push(raw === 'nats' ? total * Math.LOG2E : Number.POSITIVE_INFINITY);
  }
  if (strongest.length === 0) return undefined;
  const signed = least < -NEGLIGIBLE * Math.max(-least, most);
  const full = strongest.filter((_, i) => signed || bits[i] >= 1).sort((a, b) => a - b);
  const richest = bits.reduce((best, value, i) => (value > bits[best] ? i : best), 0);
  let high = full.length > 0 ? full[Math.ceil(WITHIN * full.length) - 1] : bits[richest] > 0 ? strongest[richest] / bits[richest] : 0;
  if (!signed) for (const [i, value] of bits.entries()) if (value < 1) high = Math.max(high, strongest[i] / Math.max(value, DIM));
  const beyond = strongest.filter(value => value > high * (1 + 1e-9)).length;
  return { scale: displayScale([], raw, { high, signed, unit }), maps: strongest.length, beyond };
}

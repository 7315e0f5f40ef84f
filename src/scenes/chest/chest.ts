/** @file Draws a phantom chest X-ray: a body, findings whose pixels are known, and a report. A function of (options, random cell). */

import { NarrowsError } from '../../system/errors.ts';
import type { RandomReader } from '../../tensor/random.ts';
import type { Box } from '../scene.ts';
import { randomBody, SIDES, type Side } from './body.ts';
import { exposeBody } from './film.ts';
import type { Finding, Place, Size, Zone } from './finding.ts';
import { FINDINGS, findingOf } from './registry.ts';

/** What kind of chest to draw. */
export interface ChestOptions {
  /** Picture in pixels; default 224 × 224. */
  readonly width?: number;
  readonly height?: number;
  /** Number of findings, uniform from `minFindings` to `maxFindings`; default 0 to 3. */
  readonly minFindings?: number;
  readonly maxFindings?: number;
  /** Names of findings to draw from; default all. */
  readonly findings?: readonly string[];
}

/** Defaults of `ChestOptions`. */
export const CHEST_DEFAULTS = { width: 224, height: 224, minFindings: 0, maxFindings: 3 } as const;

/** A finding in a picture. */
export interface ChestFinding extends Place {
  readonly name: string;
  /** [height × width] of 0 and 1. */
  readonly mask: Uint8Array;
  /** Tight around the mask. */
  readonly box: Box;
}

/** A drawn chest. */
export interface Chest {
  readonly width: number;
  readonly height: number;
  /** Brightness [height × width], 0 black to 1 white; a little outside of it where noise leads there. */
  readonly values: Float32Array;
  readonly findings: readonly ChestFinding[];
}

const SIZES: readonly Size[] = ['small', 'moderate', 'large'];
const ZONES: readonly Zone[] = ['upper', 'lower'];

/** Findings that go together: a lung has at most one, the chest one heart and one of each device. */
function choose(pool: readonly Finding[], count: number, reader: RandomReader): { finding: Finding; place: Place }[] {
  const free: { finding: Finding; side?: Side }[] = pool.flatMap(finding =>
    finding.sided ? SIDES.map(side => ({ finding, side })) : [{ finding }],
  );
  const out: { finding: Finding; place: Place }[] = [];
  let left = free;
  while (out.length < count && left.length > 0) {
    // By kind first, so that sided kinds are not twice as frequent.
    const kind = reader.pick([...new Set(left.map(each => each.finding))]);
    const { finding, side } = reader.pick(left.filter(each => each.finding === kind));
    const size = finding.sized ? reader.pick(SIZES) : undefined;
    const zone = finding.zoned ? reader.pick(ZONES) : undefined;
    out.push({ finding, place: { ...(side && { side }), ...(zone && { zone }), ...(size && { size }) } });
    left = left.filter(
      each => each.finding.site !== finding.site || (finding.site === 'lung' ? each.side !== side : each.finding !== finding),
    );
  }
  return out;
}

/** Tight box of a mask's pixels; of no size where it has none. */
export function maskBox(mask: Uint8Array, width: number): Box {
  let [left, top, right, bottom] = [width, mask.length, -1, -1];
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i]) continue;
    const x = i % width;
    const y = (i - x) / width;
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    bottom = y;
  }
  return right < 0 ? { left: 0, top: 0, width: 0, height: 0 } : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/**
 * Draws one chest. The same options and random cell give the same numbers on every machine.
 * @throws NarrowsError for sizes or numbers that cannot be
 * @example
 * const chest = drawChest({ maxFindings: 2 }, new RandomStream(0, 'chests').reader(0, 7));
 * console.log(chest.findings.map(f => [f.name, f.side, f.box]));
 */
export function drawChest(options: ChestOptions, reader: RandomReader): Chest {
  const { width = 224, height = 224, minFindings = 0, maxFindings = 3 } = options;
  if (![width, height].every(side => Number.isInteger(side) && side >= 32 && side <= 4096))
    throw new NarrowsError(`A chest must be 32 to 4096 pixels wide and high, got ${width}×${height}.`, { kind: 'usage' });
  if (
    !(Number.isInteger(minFindings) && Number.isInteger(maxFindings) && minFindings >= 0 && maxFindings >= minFindings && maxFindings <= 5)
  )
    throw new NarrowsError(`A chest holds 0 to 5 findings, got ${minFindings} to ${maxFindings}.`, { kind: 'usage' });
  const pool = options.findings ? options.findings.map(findingOf) : FINDINGS;
  const chosen = choose(pool, minFindings + reader.integer(maxFindings - minFindings + 1), reader);
  chosen.sort((a, b) => FINDINGS.indexOf(a.finding) - FINDINGS.indexOf(b.finding));
  const body = randomBody(
    reader,
    chosen.some(({ finding }) => finding.site === 'heart'),
  );
  const film = exposeBody(body, width, height, reader);
  const findings = chosen.map(({ finding, place }): ChestFinding => {
    const mask = finding.paint(film, place, reader);
    return { name: finding.name, ...place, mask, box: maskBox(mask, width) };
  });
  return { width, height, values: film.values, findings };
}

/** Brightness as grey levels 0–255 [height × width]. */
export const chestBytes = ({ values }: Chest): Uint8Array => Uint8Array.from(values, v => (v <= 0 ? 0 : v >= 1 ? 255 : v * 255 + 0.5));

/** @file Shifts by name and seed, wherever the code runs. */
import type { RgbImage } from '../inputs/image/rgb-image.ts';
import { NarrowsError } from '../system/errors.ts';
import { type RandomReader, RandomStream } from '../tensor/random.ts';
import { checkCompat, keepAs } from './compat.ts';
import { requireImageShift, requireTextShift } from './registry.ts';
import type { ImageShiftOptions, TextShiftOptions } from './shift.ts';

/** Which random numbers a shift draws: those of (seed, `shift:` + name, severity, sample). */
export interface Draw {
  /** Default 0. */
  readonly seed?: number;
  /** Number of the picture or text, so that each gets noise of its own. Default 0. */
  readonly sample?: number;
}

const readerOf = (name: string, severity: number, { seed = 0, sample = 0 }: Draw): RandomReader =>
  new RandomStream(seed, `shift:${name}`).reader(severity, sample);

/**
 * A picture under a shift: same name, severity, seed and sample, same bytes. jpeg_compression and `compat` need `saveAsJpeg`.
 * @param severity 1 to 5 @throws NarrowsError for an unknown name or severity
 */
export async function shiftImageWith(
  name: string,
  image: RgbImage,
  severity: number,
  options: Draw & ImageShiftOptions = {},
): Promise<RgbImage> {
  const shift = requireImageShift(name);
  checkCompat(shift.name, options);
  return keepAs(await shift.apply(image, severity, readerOf(shift.name, severity, options), options), options);
}

/**
 * A text under a shift: same name, rate, seed and sample, same text. The synonym shifts need `synonyms`.
 * @param severity the rate r, 1 to 7 @throws NarrowsError for an unknown name or rate, and for a shift that waits (translation)
 */
export function shiftTextWith(name: string, text: string, severity: number, options: Draw & TextShiftOptions = {}): string {
  const shift = requireTextShift(name);
  if (shift.waits) throw new NarrowsError(`${shift.name} has to wait for its result: call shiftTextAsync.`, { kind: 'usage' });
  return shift.apply(text, severity, readerOf(shift.name, severity, options), options) as string;
}

/** A text under any shift, those that wait among them. Else as `shiftTextWith`. */
export async function shiftTextAsyncWith(
  name: string,
  text: string,
  severity: number,
  options: Draw & TextShiftOptions = {},
): Promise<string> {
  const shift = requireTextShift(name);
  return shift.apply(text, severity, readerOf(shift.name, severity, options), options);
}

/** @file Many pictures under one shift: read, shifted, written one by one; finished ones are kept, bad ones said and left. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { decodeImage } from '../../inputs/image/decode.ts';
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { shiftImage } from '../../shifts/apply.ts';
import type { ImageShiftOptions } from '../../shifts/shift.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Context } from '../command.ts';

/** Kinds of file that shifted pictures are written as; all but JPEG keep every pixel. */
export const FORMATS = ['png', 'webp', 'jpeg'] as const;
/** See `FORMATS`. */
export type Format = (typeof FORMATS)[number];

/** Failures that are named one by one. */
const NAMED = 20;

/** A picture as a file. */
export function encodePicture({ width, height, data }: RgbImage, format: Format): Promise<Buffer> {
  const picture = sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: false });
  if (format === 'jpeg') return picture.jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
  return (format === 'webp' ? picture.webp({ lossless: true }) : picture.png()).toBuffer();
}

/** A picture that is to be shifted. */
export interface PictureTask {
  readonly source: string;
  /** Where it goes, relative to the output. */
  readonly target: string;
  /** Its place among all, which its random numbers come from. */
  readonly sample: number;
}

/** Which shift, and how. */
export interface ShiftWork extends ImageShiftOptions {
  readonly name: string;
  readonly severity: number;
  readonly seed: number;
  readonly format: Format;
  readonly pictures: ImageReadOptions;
  /** Called before the first picture is written. */
  begin(): Promise<void>;
}

/** What became of the pictures. */
export interface PictureCounts {
  readonly written: number;
  readonly kept: number;
  readonly failed: readonly { readonly source: string; readonly reason: string }[];
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    found => found.isFile(),
    () => false,
  );

/** Shifts what is not there yet. A picture that cannot be read is said, and stops nothing. @throws the signal's reason */
export async function shiftPictures(
  context: Context,
  output: string,
  tasks: readonly PictureTask[],
  { name, severity, format, pictures, begin, ...options }: ShiftWork,
): Promise<PictureCounts> {
  const open: PictureTask[] = [];
  for (const task of tasks) if (!(await exists(join(output, task.target)))) open.push(task);
  const kept = tasks.length - open.length;
  if (kept > 0) context.log.info(`${kept} of ${tasks.length} pictures are already there, made with the same settings.`);
  const failed: { source: string; reason: string }[] = [];
  const progress = context.progress({ label: 'Shifting', unit: 'pictures', total: tasks.length, start: kept });
  let done = kept;
  try {
    for (const { source, target, sample } of open) {
      context.signal.throwIfAborted();
      try {
        const shifted = await shiftImage(name, await decodeImage(source, pictures), severity, { ...options, sample });
        const bytes = await encodePicture(shifted, format);
        await begin();
        await writeFileAtomic(join(output, target), bytes);
      } catch (error) {
        // What cannot be written, or is called wrongly, stops the run: the next picture would fail as well.
        if (!(error instanceof NarrowsError) || error.kind === 'usage' || error.message.startsWith('Cannot write')) throw error;
        failed.push({ source, reason: error.message });
      }
      progress.update(++done, failed.length ? `${failed.length} failed` : undefined);
    }
    progress.done();
  } catch (error) {
    progress.fail();
    throw error;
  }
  for (const { reason } of failed.slice(0, NAMED)) context.log.warn(reason);
  if (failed.length > NAMED) context.log.warn(`${failed.length - NAMED} more pictures failed.`);
  return { written: open.length - failed.length, kept, failed };
}

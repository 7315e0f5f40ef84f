/** @file What MM_Robustness does to pictures besides what it means to do, and what of it is not made here. */
import type { RgbImage } from '../inputs/image/rgb-image.ts';
import { NarrowsError } from '../system/errors.ts';
import type { ImageShift, ImageShiftOptions } from './shift.ts';

/** The corruptions that it runs (a seventeenth, a style, is made by a network). */
const RUNS: readonly string[] = [
  'gaussian_noise',
  'shot_noise',
  'impulse_noise',
  'speckle_noise',
  'defocus_blur',
  'glass_blur',
  'zoom_blur',
  'motion_blur',
  'fog',
  'frost',
  'snow',
  'contrast',
  'brightness',
  'pixelate',
  'elastic_transform',
  'jpeg_compression',
];
const NOT_MADE: Readonly<Record<string, string>> = {
  elastic_transform: 'its turn and shear, and its lengths for 244 pixels',
  motion_blur: "ImageMagick's kernel",
  snow: "ImageMagick's kernel for the fall",
};
/** OpenCV's default, with which every result is saved. */
const QUALITY = 95;

/** @throws NarrowsError (usage) for a shift that the program does not run */
export function checkCompat(name: string, { compat }: ImageShiftOptions): void {
  if (compat === undefined || RUNS.includes(name)) return;
  throw new NarrowsError(`${compat} does not run ${name}; it runs ${RUNS.join(', ')}.`, { kind: 'usage' });
}

/** A result as the program keeps it: saved as JPEG and read again. @throws NarrowsError without a codec */
export async function keepAs(image: RgbImage, { compat, saveAsJpeg }: ImageShiftOptions): Promise<RgbImage> {
  if (compat === undefined) return image;
  if (!saveAsJpeg) throw new NarrowsError(`${compat} saves its results as JPEG: pass saveAsJpeg, or call shiftImage of shifts/apply.ts.`);
  return saveAsJpeg(image, QUALITY);
}

/** Red and blue exchanged: what a program sees that takes BGR for RGB. */
export function swapRedBlue({ width, height, data }: RgbImage): RgbImage {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = data[i + 2 - 2 * (i % 3)];
  return { width, height, data: out };
}

/** All that a result must say of a shift under these options: sentences, mostly none. */
export function shiftRemarks(shift: ImageShift, options: ImageShiftOptions = {}): string[] {
  const own = shift.remark?.(options);
  const missing = options.compat === undefined ? undefined : NOT_MADE[shift.name];
  return [
    ...(own === undefined ? [] : [own]),
    ...(missing === undefined ? [] : [`${shift.name} under ${options.compat}: ${missing} are not made here, so its numbers differ.`]),
  ];
}

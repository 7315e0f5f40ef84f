/** @file Pictures as numbers in [0, 1] while they are changed, and back to bytes as the published corruptions do. */
import type { RgbImage } from '../../../inputs/image/rgb-image.ts';

/** `data` holds `height` x `width` x `channels` numbers, nominally in [0, 1]. */
export interface FloatImage {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Float64Array;
}

/** Bytes / 255. */
export function toFloat({ width, height, data }: RgbImage): FloatImage {
  const out = new Float64Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = data[i] / 255;
  return { width, height, channels: 3, data: out };
}

/** Clipped to [0, 1], times 255, CUT to whole numbers, not rounded: `np.uint8` at the end of imagecorruptions' `corrupt` does so. */
export function toBytes({ width, height, data }: FloatImage): RgbImage {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = Math.min(1, Math.max(0, data[i])) * 255;
  return { width, height, data: out };
}

/** Changes every number of a picture on its own. @param change the new value, from the old one in [0, 1] and its index */
export function mapPicture(image: RgbImage, change: (value: number, index: number) => number): RgbImage {
  const picture = toFloat(image);
  const { data } = picture;
  for (let i = 0; i < data.length; i++) data[i] = change(data[i], i);
  return toBytes(picture);
}

/** Index mirrored about the edge pixels' centres, `c b | a b c | b a` (OpenCV's REFLECT_101), for any distance outside. */
export function reflect101(index: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const i = ((index % period) + period) % period;
  return i < length ? i : period - i;
}

/** Index mirrored about the outer edges, `b a | a b c | c b` (scipy's `reflect`), for any distance outside. */
export function reflectHalf(index: number, length: number): number {
  const period = 2 * length;
  const i = ((index % period) + period) % period;
  return i < length ? i : period - 1 - i;
}

/** Index moved to the nearest one inside. */
export const clampIndex = (index: number, length: number): number => Math.min(length - 1, Math.max(0, index));

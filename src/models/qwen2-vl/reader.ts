/** @file Pictures to patches of their own size, squares of patches that become one token side by side (Qwen2VLImageProcessor). */
import { z } from 'zod';
import { IMAGE_MARK } from '../../inputs/chat/messages.ts';
import { FILTERS } from '../../inputs/image/filters.ts';
import { ImageProcessor } from '../../inputs/image/processor.ts';
import { resizeImage } from '../../inputs/image/resize.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { NarrowsError } from '../../system/errors.ts';
import { floats, joinFloats } from '../../tensor/tensor.ts';
import type { LlavaConfig } from '../llava/config.ts';
import type { Pictured, PictureLayout, PictureReader, Size } from '../llava/pictures.ts';
import type { QwenVisionConfig } from './config.ts';
import { qwenVision } from './vision.ts';

const count = z.number().int().positive();
const flag = z.boolean().default(true);
const channels = z.array(z.number()).length(3);
const rulesSchema = z.looseObject({
  min_pixels: count.optional(),
  max_pixels: count.optional(),
  size: z.looseObject({ shortest_edge: count.optional(), longest_edge: count.optional() }).optional(),
  do_resize: flag,
  resample: z.number().int().min(0).max(5).default(3),
  do_rescale: flag,
  rescale_factor: z
    .number()
    .positive()
    .default(1 / 255),
  do_normalize: flag,
  image_mean: channels.default([0.48145466, 0.4578275, 0.40821073]),
  image_std: channels.default([0.26862954, 0.26130258, 0.27577711]),
  patch_size: count.default(14),
  temporal_patch_size: count.default(2),
  merge_size: count.default(2),
});

/** Fewest and most pixels of a picture. */
export interface PixelBounds {
  readonly least: number;
  readonly most: number;
}

/** Python's round: halves go to the even neighbour. */
const round = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

/** The size that a picture is brought to: edges in whole tokens, pixels within bounds (`smart_resize`). @throws NarrowsError for a strip */
export function smartSize({ width, height }: Size, factor: number, { least, most }: PixelBounds): Size {
  if (Math.max(width, height) / Math.min(width, height) > 200)
    throw new NarrowsError(
      `A picture of ${width} x ${height} is more than 200 times as long as wide, which this model does not take; crop it.`,
    );
  const size = { width: round(width / factor) * factor, height: round(height / factor) * factor };
  if (size.width * size.height > most) {
    const beta = Math.sqrt((width * height) / most);
    const down = (n: number): number => Math.max(factor, Math.floor(n / beta / factor) * factor);
    return { width: down(width), height: down(height) };
  }
  if (size.width * size.height >= least) return size;
  const beta = Math.sqrt(least / (width * height));
  const up = (n: number): number => Math.ceil((n * beta) / factor) * factor;
  return { width: up(width), height: up(height) };
}

/** How a picture stands in the text; `grid` are its patches. */
export function qwenLayout(config: LlavaConfig, { width, height }: Size, bounds: PixelBounds): PictureLayout {
  const { patch_size: patch, spatial_merge_size: merge } = qwenVision(config);
  const resized = smartSize({ width, height }, patch * merge, bounds);
  const grid = [resized.height / patch, resized.width / patch] as const;
  const pixels = grid[0] * grid[1];
  return { size: { width, height }, pixels, text: IMAGE_MARK, runs: [pixels / merge ** 2], grid };
}

/** Row and column of each patch, in the order of the pixel values: squares that are merged stand together. */
export function patchPlaces([rows, columns]: readonly [number, number], merge: number): (readonly [row: number, column: number])[] {
  const out: (readonly [number, number])[] = [];
  for (let top = 0; top < rows; top += merge)
    for (let left = 0; left < columns; left += merge)
      for (let y = 0; y < merge; y++) for (let x = 0; x < merge; x++) out.push([top + y, left + x]);
  return out;
}

/** Values [3, H, W] as patches [P, C·T·p·p], the picture in every frame. */
function patchesOf(
  { data, shape: [, height, width] }: { readonly data: Float32Array; readonly shape: readonly number[] },
  vision: QwenVisionConfig,
) {
  const { patch_size: patch, spatial_merge_size: merge, temporal_patch_size: frames } = vision;
  const places = patchPlaces([height / patch, width / patch], merge);
  const values = 3 * frames * patch * patch;
  const out = new Float32Array(places.length * values);
  let at = 0;
  for (const [row, column] of places)
    for (let c = 0; c < 3; c++)
      for (let t = 0; t < frames; t++)
        for (let y = 0; y < patch; y++, at += patch) {
          const from = (c * height + row * patch + y) * width + column * patch;
          out.set(data.subarray(from, from + patch), at);
        }
  return floats([places.length, values], out);
}

/** @throws NarrowsError for rules that cannot be read, or of other patches than the tower's */
export function qwenReader(config: LlavaConfig, json: Readonly<Record<string, unknown>>, file: string): PictureReader {
  const result = rulesSchema.safeParse(Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null)));
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new NarrowsError(`${file}: the key "${issue.path.join('.')}" is wrong (${issue.message}).`);
  }
  const { min_pixels, max_pixels, size, do_resize, resample, patch_size, temporal_patch_size, merge_size, ...values } = result.data;
  const vision = qwenVision(config);
  const wrong = Object.entries({ patch_size, temporal_patch_size }).find(([key, value]) => value !== vision[key as 'patch_size']);
  if (wrong || merge_size !== vision.spatial_merge_size)
    throw new NarrowsError(
      `${file}: "${wrong?.[0] ?? 'merge_size'}" is ${wrong?.[1] ?? merge_size}, but config.json describes another tower (vision_config); set it to that.`,
    );
  if (!do_resize) throw new NarrowsError(`${file}: "do_resize" is false, but pictures must be brought to whole tokens; set it to true.`);
  const bounds = { least: min_pixels ?? size?.shortest_edge ?? 56 * 56, most: max_pixels ?? size?.longest_edge ?? 28 * 28 * 1280 };
  const { do_rescale, rescale_factor, do_normalize, image_mean, image_std } = values;
  const square = { height: patch_size, width: patch_size };
  const normaliser = new ImageProcessor({
    ...{ do_convert_rgb: true, do_pad: false, do_resize: false, do_center_crop: false, resample, size: square, crop_size: square },
    ...{ do_rescale, rescale_factor, do_normalize, image_mean, image_std },
  });
  const one = (image: RgbImage) => {
    const resized = smartSize(image, patch_size * merge_size, bounds);
    const { pixelValues } = normaliser.process(resizeImage(image, resized.width, resized.height, FILTERS[resample]));
    return patchesOf(pixelValues, vision);
  };
  return {
    layouts: sizes => sizes.map(each => qwenLayout(config, each, bounds)),
    process: (images): Pictured => ({
      ...joinFloats(images.map(one)),
      layouts: images.map(image => qwenLayout(config, image, bounds)),
    }),
  };
}

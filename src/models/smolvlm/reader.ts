/** @file Pictures as SmolVLM takes them: tiles row by row and the whole picture small (SmolVLMImageProcessor, Idefics3ImageProcessor). */
import { z } from 'zod';
import { IMAGE_MARK } from '../../inputs/chat/messages.ts';
import { FILTERS } from '../../inputs/image/filters.ts';
import { ImageProcessor, stackImages } from '../../inputs/image/processor.ts';
import { resizeImage } from '../../inputs/image/resize.ts';
import { cropImage, type RgbImage } from '../../inputs/image/rgb-image.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { LlavaConfig } from '../llava/config.ts';
import type { Pictured, PictureLayout, PictureReader, Size } from '../llava/pictures.ts';
import { tileSide } from './vision.ts';

const edge = z.object({ longest_edge: z.number().int().positive() });
const flag = z.boolean().default(true);
const channels = z.array(z.number()).length(3);

/** Keys and defaults of Idefics3ImageProcessor; what it does with them is in the functions below. */
const rulesSchema = z.looseObject({
  do_resize: flag,
  size: edge.default({ longest_edge: 4 * 364 }),
  resample: z.number().int().min(0).max(5).default(1),
  do_image_splitting: flag,
  max_image_size: edge.default({ longest_edge: 364 }),
  do_rescale: flag,
  rescale_factor: z
    .number()
    .positive()
    .default(1 / 255),
  do_normalize: flag,
  image_mean: channels.default([0.5, 0.5, 0.5]),
  image_std: channels.default([0.5, 0.5, 0.5]),
});
/** Image rules with their defaults. */
export type SmolvlmRules = z.infer<typeof rulesSchema>;

/** No edge is longer before it is cut into tiles. */
const LONGEST = 4096;

/** Resized to a longest edge, the other cut down to whole pixels and made even. */
function toLongest({ width, height }: Size, longest: number): Size {
  const even = (n: number): number => n + (n % 2);
  const ratio = width / height;
  const [w, h] = width >= height ? [longest, even(Math.trunc(longest / ratio))] : [even(Math.trunc(longest * ratio)), longest];
  const size = { width: Math.max(w, 1), height: Math.max(h, 1) };
  if (Math.max(size.width, size.height) <= LONGEST) return size;
  const across = size.width / size.height;
  return size.width >= size.height
    ? { width: LONGEST, height: Math.max(1, Math.trunc(LONGEST / across)) }
    : { width: Math.max(1, Math.trunc(LONGEST * across)), height: LONGEST };
}

/** Both edges up to multiples of a tile's, the shorter one from the stretched longer one. */
function toTiles({ width, height }: Size, tile: number): Size {
  const up = (n: number): number => Math.ceil(n / tile) * tile;
  const ratio = width / height;
  if (width >= height) return { width: up(width), height: up(Math.trunc(up(width) / ratio)) };
  return { width: up(Math.trunc(up(height) * ratio)), height: up(height) };
}

/** Sizes that a picture goes through, in order; and rows and columns of its tiles (0 × 0: it is one tile). */
export function tilingOf(rules: SmolvlmRules, size: Size): { steps: Size[]; grid: readonly [number, number] } {
  const tile = rules.max_image_size.longest_edge;
  const first = rules.do_resize ? [toLongest(size, rules.size.longest_edge)] : [];
  const before = first[0] ?? size;
  if (!rules.do_image_splitting) return { steps: [...first, { width: tile, height: tile }], grid: [0, 0] };
  const whole = toTiles(before, tile);
  const [rows, columns] = [whole.height / tile, whole.width / tile];
  return { steps: [...first, whole], grid: rows * columns > 1 ? [rows, columns] : [0, 0] };
}

/** What stands in a text for a picture: each tile behind its place's token, the whole one last (SmolVLMProcessor). */
export function pictureText([rows, columns]: readonly [number, number]): string {
  const fake = '<fake_token_around_image>';
  const whole = `${fake}<global-img>${IMAGE_MARK}${fake}`;
  if (rows === 0) return whole;
  const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
  const line = (r: number): string =>
    `${range(columns)
      .map(c => `${fake}<row_${r}_col_${c}>${IMAGE_MARK}`)
      .join('')}\n`;
  return `${range(rows).map(line).join('')}\n${whole}`;
}

/** @throws NarrowsError for rules that cannot be read, or tiles of another size than the tower's */
export function smolvlmReader(config: LlavaConfig, json: Readonly<Record<string, unknown>>, file: string): PictureReader {
  const given = Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null));
  const result = rulesSchema.safeParse(given);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new NarrowsError(`${file}: the key "${issue.path.join('.')}" is wrong (${issue.message}).`);
  }
  const rules = result.data;
  const tile = rules.max_image_size.longest_edge;
  const { image_size: size } = config.vision_config;
  if (tile !== size)
    throw new NarrowsError(
      `${file}: "max_image_size" is ${tile}, but the tower takes tiles of ${size} x ${size} (vision_config.image_size); set it to that.`,
    );
  const { do_rescale, rescale_factor, do_normalize, image_mean, image_std, resample } = rules;
  const values = new ImageProcessor({
    ...{ do_convert_rgb: true, do_pad: false, do_resize: false, do_center_crop: false, resample },
    ...{ size: { height: tile, width: tile }, crop_size: { height: tile, width: tile } },
    ...{ do_rescale, rescale_factor, do_normalize, image_mean, image_std },
  });
  const filter = FILTERS[resample];
  const layoutOf = (picture: Size): PictureLayout => {
    const { grid } = tilingOf(rules, picture);
    const pixels = grid[0] * grid[1] + 1;
    const runs = Array<number>(pixels).fill(tileSide(config) ** 2);
    return { size: { width: picture.width, height: picture.height }, pixels, text: pictureText(grid), runs, grid };
  };
  const tilesOf = (image: RgbImage): RgbImage[] => {
    const { steps, grid } = tilingOf(rules, image);
    const whole = steps.reduce<RgbImage>((picture, { width, height }) => resizeImage(picture, width, height, filter), image);
    if (grid[0] === 0) return [whole];
    const places = Array.from({ length: grid[0] * grid[1] }, (_, i) => [i % grid[1], Math.floor(i / grid[1])]);
    return [
      ...places.map(([x, y]) => cropImage(whole, { left: x * tile, top: y * tile, width: tile, height: tile })),
      resizeImage(whole, tile, tile, filter),
    ];
  };
  return {
    layouts: sizes => sizes.map(layoutOf),
    process(images): Pictured {
      const tiles = images.flatMap(tilesOf).map(image => values.process(image).pixelValues);
      return { ...stackImages(tiles), layouts: images.map(layoutOf) };
    },
  };
}

/** @file Pictures to tiles: the whole picture small, then its canvas cut (LlavaNextImageProcessor, LlavaOnevisionImageProcessor). */
import { z } from 'zod';
import { IMAGE_MARK } from '../../inputs/chat/messages.ts';
import { FILTERS } from '../../inputs/image/filters.ts';
import { ImageProcessor, stackImages } from '../../inputs/image/processor.ts';
import { resizeImage } from '../../inputs/image/resize.ts';
import { cropImage, type RgbImage } from '../../inputs/image/rgb-image.ts';
import { expandToSquare, meanColour } from '../../inputs/image/square.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { LlavaConfig } from '../llava/config.ts';
import type { Pictured, PictureLayout, PictureReader, Size } from '../llava/pictures.ts';
import { gridSize } from '../model-config.ts';
import { bestCanvas, packing, sizeOnCanvas } from './anyres.ts';
import { mostTiles, pinpoints } from './config.ts';

const edge = z.number().int().positive();
const flag = z.boolean().default(true);
const channels = z.array(z.number()).length(3);
/** Keys and defaults of both classes. */
const rulesSchema = z.looseObject({
  size: z.union([z.object({ height: edge, width: edge }), z.object({ shortest_edge: edge })]).optional(),
  resample: z.number().int().min(0).max(5).default(3),
  do_rescale: flag,
  rescale_factor: z
    .number()
    .positive()
    .default(1 / 255),
  do_normalize: flag,
  image_mean: channels.default([0.48145466, 0.4578275, 0.40821073]),
  image_std: channels.default([0.26862954, 0.26130258, 0.27577711]),
  image_grid_pinpoints: z.array(z.tuple([edge, edge])).optional(),
});

/** How a picture stands in the text. @param several of a conversation's several pictures: OneVision takes each as one square */
export function anyresLayout(config: LlavaConfig, { width, height }: Size, several = false): PictureLayout {
  const { image_size: tile } = config.vision_config;
  const size = { width, height };
  const square = several && mostTiles(config) !== undefined;
  const [tall, wide] = bestCanvas(size, pinpoints(config));
  const grid = square ? ([0, 0] as const) : ([tall / tile, wide / tile] as const);
  const tokens = packing(size, grid, gridSize(config.vision_config), mostTiles(config)).length;
  return { size, pixels: 1 + grid[0] * grid[1], text: IMAGE_MARK, runs: [tokens], grid, ...(square ? { several: true } : {}) };
}

/** @throws NarrowsError for rules that cannot be read, or that make other tiles than the model takes */
export function anyresReader(config: LlavaConfig, json: Readonly<Record<string, unknown>>, file: string): PictureReader {
  const result = rulesSchema.safeParse(Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null)));
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new NarrowsError(`${file}: the key "${issue.path.join('.')}" is wrong (${issue.message}).`);
  }
  const { size, resample, image_grid_pinpoints: canvases, ...values } = result.data;
  const { image_size: tile } = config.vision_config;
  const made = size === undefined ? tile : 'height' in size ? size.height : size.shortest_edge;
  if (made !== tile)
    throw new NarrowsError(
      `${file}: "size" is ${made}, but the tower takes tiles of ${tile} x ${tile} (vision_config.image_size); set it to that.`,
    );
  if (canvases && JSON.stringify(canvases) !== JSON.stringify(pinpoints(config)))
    throw new NarrowsError(
      `${file}: "image_grid_pinpoints" are not those of config.json, so that tiles and tokens of a picture would not fit; write the same list in both.`,
    );
  const square = { height: tile, width: tile };
  const { do_rescale, rescale_factor, do_normalize, image_mean, image_std } = values;
  const normaliser = new ImageProcessor({
    ...{ do_convert_rgb: true, do_pad: false, do_resize: false, do_center_crop: false, resample, size: square, crop_size: square },
    ...{ do_rescale, rescale_factor, do_normalize, image_mean, image_std },
  });
  const filter = FILTERS[resample];
  const tilesOf = (image: RgbImage, { grid, several }: PictureLayout): RgbImage[] => {
    if (several) return [resizeImage(expandToSquare(image, meanColour(image_mean)), tile, tile, filter)];
    const canvas = [grid[0] * tile, grid[1] * tile] as const;
    const { width, height } = sizeOnCanvas(image, canvas);
    const laid = onBlack(resizeImage(image, width, height, filter), canvas);
    const places = Array.from({ length: grid[0] * grid[1] }, (_, i) => [i % grid[1], Math.floor(i / grid[1])]);
    return [
      resizeImage(image, tile, tile, filter),
      ...places.map(([x, y]) => cropImage(laid, { left: x * tile, top: y * tile, ...square })),
    ];
  };
  return {
    layouts: (sizes, several) => sizes.map(one => anyresLayout(config, one, several)),
    process(images, several): Pictured {
      const layouts = images.map(image => anyresLayout(config, image, several));
      const tiles = images.flatMap((image, i) => tilesOf(image, layouts[i])).map(image => normaliser.process(image).pixelValues);
      return { ...stackImages(tiles), layouts };
    },
  };
}

/** A picture in the middle of a black canvas. */
function onBlack({ width, height, data }: RgbImage, [tall, wide]: readonly [number, number]): RgbImage {
  const [left, top] = [Math.floor((wide - width) / 2), Math.floor((tall - height) / 2)];
  const out = new Uint8Array(3 * wide * tall);
  for (let y = 0; y < height; y++) out.set(data.subarray(3 * y * width, 3 * (y + 1) * width), 3 * ((top + y) * wide + left));
  return { width: wide, height: tall, data: out };
}

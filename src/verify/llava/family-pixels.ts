/** @file Pixel values of another family than LLaVA as transformers' processor writes them, and whose pictures they are. */

import type { LlavaConfig } from '../../models/llava/config.ts';
import { familyOf } from '../../models/llava/families.ts';
import { type Pictured, type PictureLayout, tokensOf } from '../../models/llava/pictures.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type FloatTensor, floats, joinFloats } from '../../tensor/tensor.ts';
import type { ReferenceFile } from '../reference.ts';

/** What says how large pictures are. */
const SIZES: readonly string[] = ['image_sizes', 'image_grid_thw'];
/** How many pictures each conversation has; without it each picture is the only one of its own, as transformers has it. */
const COUNTS = 'batch_num_images';
/** What is said of pictures besides their pixels. */
export const PICTURE_INPUTS: readonly string[] = [...SIZES, COUNTS];

/** Rows `from` to `to`. */
const rowsOf = ({ shape, data }: FloatTensor, from: number, to: number): FloatTensor => {
  const each = data.length / shape[0];
  return floats([to - from, ...shape.slice(1)], data.subarray(from * each, to * each));
};

/** Tiles without those that only fill a batch up: transformers leaves out tiles of zeros. */
function withoutFillers(tiles: FloatTensor): FloatTensor {
  const each = tiles.data.length / tiles.shape[0];
  const kept = Array.from({ length: tiles.shape[0] }, (_, i) => tiles.data.subarray(i * each, (i + 1) * each)).filter(tile =>
    tile.some(v => v !== 0),
  );
  const data = new Float32Array(kept.length * each);
  for (const [i, tile] of kept.entries()) data.set(tile, i * each);
  return floats([kept.length, ...tiles.shape.slice(1)], data);
}

/** For each picture, whether its conversation has several. @throws NarrowsError where the counts are of other pictures */
async function ofSeveral(file: ReferenceFile, pictures: number): Promise<boolean[]> {
  if (!file.has(COUNTS)) return Array<boolean>(pictures).fill(false);
  const counts = Array.from((await file.integers(COUNTS)).data as Int32Array, Number);
  const total = counts.reduce((sum, n) => sum + n, 0);
  if (total !== pictures)
    throw new NarrowsError(
      `${COUNTS} of ${file.path} counts ${total} pictures, but sizes are given of ${pictures}; save both from one batch.`,
    );
  return counts.flatMap(n => Array<boolean>(n).fill(n > 1));
}

/** Each picture's own tiles of [pictures, tiles, C, S, S]: what stands behind them fills the batch up. */
function ownTiles({ shape, data }: FloatTensor, layouts: readonly PictureLayout[], file: ReferenceFile): FloatTensor {
  const [pictures, tiles, ...tile] = shape;
  const most = Math.max(...layouts.map(layout => layout.pixels));
  if (pictures !== layouts.length || most > tiles)
    throw new NarrowsError(
      `pixel_values of ${file.path} hold ${pictures} pictures of up to ${tiles} tiles, but ${layouts.length} pictures of up to ${most} are described beside them; save both from one batch.`,
    );
  const rows = floats([pictures * tiles, ...tile], data);
  return joinFloats(layouts.map((layout, i) => rowsOf(rows, i * tiles, i * tiles + layout.pixels)));
}

/** Pixel values of a file, [pictures, tiles, C, S, S] or without pictures' axis, as the model takes them. */
export async function familyPixels(config: LlavaConfig, pixels: FloatTensor, file: ReferenceFile): Promise<Pictured> {
  const family = familyOf(config);
  const { shape, data } = pixels;
  const flat = shape.length === 5 ? floats([shape[0] * shape[1], ...shape.slice(2)], data) : pixels;
  const name = SIZES.find(one => file.has(one));
  if (!family?.layoutFrom || !name) return family?.tiled ? withoutFillers(flat) : flat;
  const said = await file.integers(name);
  const each = said.shape[1];
  const several = await ofSeveral(file, said.shape[0]);
  const layouts: PictureLayout[] = several.map((one, i) =>
    family.layoutFrom!(config, Array.from(said.data.subarray(i * each, (i + 1) * each) as Int32Array, Number), one),
  );
  return { ...(shape.length === 5 ? ownTiles(pixels, layouts, file) : pixels), layouts };
}

/** Cuts the pixels of one prompt off: as many as its image tokens ask for. @returns the rest too */
export function cutPixels(config: LlavaConfig, pixels: Pictured, tokens: number): { own: Pictured; rest: Pictured } {
  const { layouts } = pixels;
  const family = familyOf(config);
  let [rows, pictures, left] = [0, 0, tokens];
  if (layouts)
    while (left > 0 && pictures < layouts.length) {
      left -= tokensOf(layouts[pictures]);
      rows += layouts[pictures++].pixels;
    }
  else if (family) rows = tokens / family.rows(config, rowsOf(pixels, 0, 1));
  const part = (from: number, to: number, first: number, last?: number): Pictured => ({
    ...rowsOf(pixels, from, to),
    ...(layouts ? { layouts: layouts.slice(first, last) } : {}),
  });
  return { own: part(0, rows, 0, pictures), rest: part(rows, pixels.shape[0], pictures) };
}

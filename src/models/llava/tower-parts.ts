/** @file Another family's pictures go through its tower in parts: thirteen tiles at once would take many times the memory of one. */
import { NarrowsError } from '../../system/errors.ts';
import { formatBytes } from '../../system/format.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import { floats } from '../../tensor/tensor.ts';
import type { LlavaConfig } from './config.ts';
import { familyOf } from './families.ts';
import type { Pictured } from './pictures.ts';

/** Bytes that the attention of one run of the tower may take. */
const BUDGET = 256e6;
/** Copies of its scores that are alive at once. */
const COPIES = 3;

/** Rows `from` to `to` of a tensor, without copying. */
function rowsOf({ shape, data }: FloatTensor, from: number, to: number): FloatTensor {
  const each = data.length / shape[0];
  return floats([to - from, ...shape.slice(1)], data.subarray(from * each, to * each));
}

/** Bytes of the attention scores of one tile (or of one picture of a family that is not tiled) while they are computed. */
const scoreBytes = ({ vision_config: { num_attention_heads: heads } }: LlavaConfig, patches: number): number =>
  COPIES * 4 * heads * patches ** 2;

/** Patches of one tile. */
const patchesOf = ({ vision_config: { patch_size: edge } }: LlavaConfig, { shape: [, , height, width] }: Pictured): number =>
  Math.floor(height / edge) * Math.floor(width / edge);

/** Bytes that the tower takes for a picture: all of its tiles at once, or the largest part of its attention. @throws NarrowsError as `queryParts` */
export const towerBytes = (config: LlavaConfig, pixels: Pictured): number =>
  familyOf(config)?.tiled
    ? pixels.shape[0] * scoreBytes(config, patchesOf(config, pixels))
    : (pixels.layouts ?? []).reduce((sum, layout) => sum + scoreBytes(config, layout.pixels), 0) / queryParts(config, pixels);

/** Most parts that a picture's attention is computed in: each is nodes of the graph in every block. */
const MOST_QUERY_PARTS = 128;
/** Bytes of one part beyond which a picture is refused. */
const MOST_PART_BYTES = 2e9;

/**
 * In how many parts the attention of one picture is computed, so that each fits into the budget; 1 where tiles go through the tower.
 * @throws NarrowsError for a picture whose attention is too much even so
 */
export function queryParts(config: LlavaConfig, { layouts }: Pictured): number {
  const family = familyOf(config);
  if (!family || family.tiled || layouts?.length !== 1) return 1;
  const [{ pixels, size }] = layouts;
  const bytes = scoreBytes(config, pixels);
  const parts = Math.ceil(bytes / BUDGET);
  if (bytes / Math.min(parts, MOST_QUERY_PARTS) > MOST_PART_BYTES)
    throw new NarrowsError(
      `A picture of ${size.width} x ${size.height} becomes ${pixels} patches for this ${family.title}, whose attention to one another takes ${formatBytes(bytes)} in each block; give a smaller picture, or lower "max_pixels" in preprocessor_config.json.`,
    );
  return Math.min(parts, MOST_QUERY_PARTS);
}

/** Pixel values cut for the tower: as many tiles as fit into the budget, or picture by picture. */
export function towerParts(config: LlavaConfig, pixels: Pictured): Pictured[] {
  const { shape, layouts } = pixels;
  if (!familyOf(config)?.tiled) {
    let at = 0;
    return (layouts ?? []).map(layout => {
      at += layout.pixels;
      return { ...rowsOf(pixels, at - layout.pixels, at), layouts: [layout] };
    });
  }
  const [tiles] = shape;
  const most = Math.max(1, Math.floor(BUDGET / scoreBytes(config, patchesOf(config, pixels))));
  return Array.from({ length: Math.ceil(tiles / most) }, (_, i) => rowsOf(pixels, i * most, Math.min(tiles, (i + 1) * most)));
}

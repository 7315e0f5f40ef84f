/** @file LLaVA-NeXT (1.6) and LLaVA-OneVision: LLaVA's tower and projector on tiles of any picture, border cut off, a token at line ends. */

import { ALL_LINEAR } from '../../checkpoints/peft-layers.ts';
import { concat, gather, input, mul, mulDims, reshape, sum, unsqueeze } from '../../graph/index.ts';
import { floats, ints, type Tensor } from '../../tensor/tensor.ts';
import { cellsUnder, type Part, pixelCells, tokenParts } from '../llava/cells.ts';
import type { LlavaConfig } from '../llava/config.ts';
import type { PictureCells, PictureFamily } from '../llava/family.ts';
import { noLayouts, type PictureLayout, type Size, tokensOf } from '../llava/pictures.ts';
import { llavaProjector, llavaTower } from '../llava/tower.ts';
import { gridSize } from '../model-config.ts';
import { keptTokens, type Mixture, NEWLINE, packing, unpad } from './anyres.ts';
import { mostTiles } from './config.ts';
import { anyresLayout, anyresReader } from './reader.ts';

/** Most rows of features that a token is made of. */
const TAPS = 4;
/** Inputs of the projector's graph: which rows of all tiles' features a token is made of, and their weights. */
const [ROWS, WEIGHTS] = ['picture_rows', 'picture_weights'];

const mixtures = (config: LlavaConfig, { size, grid }: PictureLayout): Mixture[] =>
  packing(size, grid, gridSize(config.vision_config), mostTiles(config));

/** The rows and weights of pictures one behind the other; the newline stands behind the last tile of all. */
function feeds(config: LlavaConfig, layouts: readonly PictureLayout[]): Record<string, Tensor> {
  const perTile = gridSize(config.vision_config) ** 2;
  const tiles = layouts.reduce((total, layout) => total + layout.pixels, 0);
  const tokens = layouts.reduce((total, layout) => total + tokensOf(layout), 0);
  const [rows, weights] = [new Int32Array(tokens * TAPS), new Float32Array(tokens * TAPS)];
  let [at, tile] = [0, 0];
  for (const layout of layouts) {
    for (const mixture of mixtures(config, layout)) {
      for (const [k, [row, weight]] of mixture.entries()) {
        rows[at * TAPS + k] = row === NEWLINE ? tiles * perTile : tile * perTile + row;
        weights[at * TAPS + k] = weight;
      }
      at++;
    }
    tile += layout.pixels;
  }
  return { [ROWS]: ints([tokens, TAPS], rows), [WEIGHTS]: floats([tokens, TAPS], weights) };
}

/** A cell is a token of the tiles, as kept; those of the small whole picture show several, line ends none. */
function cells(config: LlavaConfig, layout: PictureLayout, shape: readonly number[]): PictureCells {
  const side = gridSize(config.vision_config);
  const { size, grid } = layout;
  if (grid[0] === 0) return squareCells(side, size, shape);
  const shown = unpad(size, grid[0] * side, grid[1] * side);
  const kept = keptTokens(shown, side, mostTiles(config));
  const tiles = Array.from({ length: grid[0] * grid[1] }, (_, i): Part => {
    const [top, left] = [Math.floor(i / grid[1]) * side - shown.top, (i % grid[1]) * side - shown.left];
    return [left / shown.columns, top / shown.rows, side / shown.columns, side / shown.rows];
  });
  const own = Array.from({ length: kept[0] }, (_, y) => [...Array.from({ length: kept[1] }, (_, x) => [y * kept[1] + x]), []]);
  return {
    grid: kept,
    view: { left: 0, top: 0, ...size },
    pixelCells: pixelCells(kept, [[0, 0, 1, 1], ...tiles], shape),
    tokenCells: [...tokenParts([0, 0, 1, 1], side).map(part => cellsUnder(kept, part)), ...own.flat()],
  };
}

/** One square around the picture: one of several of a conversation. */
function squareCells(side: number, { width, height }: Size, shape: readonly number[]): PictureCells {
  const edge = Math.max(width, height);
  const grid = [side, side] as const;
  return {
    grid,
    view: { left: -Math.floor((edge - width) / 2), top: -Math.floor((edge - height) / 2), width: edge, height: edge },
    pixelCells: pixelCells(grid, [[0, 0, 1, 1]], shape),
    tokenCells: [...Array.from({ length: side * side }, (_, i) => [i]), []],
  };
}

/** @param title as people call it @param processorType see `PictureFamily` */
const anyres = (title: string, processorType: string): PictureFamily => ({
  title,
  naming: {
    old: [
      ['language_model.model.', 'model.language_model.'],
      ['language_model.lm_head.', 'lm_head.'],
      ['vision_tower.', 'model.vision_tower.'],
      ['multi_modal_projector.', 'model.multi_modal_projector.'],
      ['image_newline', 'model.image_newline'],
    ],
    new: [],
  },
  peft: { linear: ALL_LINEAR, projector: 'multi_modal_projector', outside: '.*(vision_tower|multi_modal_projector).*' },
  processorType,
  tiled: true,
  lacks: title === 'LLaVA-OneVision' ? ['video'] : [],
  pixelInput({ vision_config: { num_channels: channels, image_size: size } }) {
    return input('pixel_values', ['tiles', channels, size, size]);
  },
  towerFeatures: llavaTower,
  projectFeatures(p, config, features) {
    const { hidden_size: width } = config.text_config;
    const projected = llavaProjector(p, config, features);
    const tiles = reshape(projected, [mulDims(projected.shape.slice(0, 2)), width]);
    const rows = concat([tiles, unsqueeze(p.get('model.image_newline', [width]), 0)], 0);
    const chosen = gather(rows, input(ROWS, ['tokens', TAPS], 'int32'));
    return sum(mul(chosen, unsqueeze(input(WEIGHTS, ['tokens', TAPS]), -1)), 1, true);
  },
  feeds,
  layoutFrom: (config, [height, width], several) => anyresLayout(config, { width, height }, several),
  rows(config, pixels) {
    if (!pixels.layouts) throw noLayouts();
    return pixels.layouts.reduce((total, layout) => total + mixtures(config, layout).length, 0);
  },
  typicalTokens: config => tokensOf(anyresLayout(config, { width: 1024, height: 768 })),
  reader: anyresReader,
  describe(config) {
    const { image_size: size } = config.vision_config;
    const most = mostTiles(config);
    return `tiles of ${size} x ${size} pixels and the whole picture small, ${gridSize(config.vision_config) ** 2} tokens each, border cut off, a token at line ends${most ? `, scaled down to ${most} tiles' tokens` : ''}`;
  },
  cells,
});

/** See `PictureFamily`. */
export const llavaNext = anyres('LLaVA-NeXT', 'LlavaNextImageProcessor');
/** See `PictureFamily`. */
export const llavaOnevision = anyres('LLaVA-OneVision', 'LlavaOnevisionImageProcessor');

/** @file SmolVLM (256M, 500M, 2.2B; Idefics3 is its elder): SigLIP on tiles, pixel shuffle, SmolLM2. */
import { input } from '../../graph/index.ts';
import { cellsUnder, type Part, pixelCells, tokenParts } from '../llava/cells.ts';
import type { PictureCells, PictureFamily } from '../llava/family.ts';
import type { PictureLayout } from '../llava/pictures.ts';
import { scaleFactor } from './config.ts';
import { smolvlmReader } from './reader.ts';
import { smolvlmProjector, smolvlmTower, tileSide } from './vision.ts';

const NAMES = [
  ['model.text_model.', 'model.language_model.'],
  ['model.vision_model.', 'model.vision_tower.vision_model.'],
  ['model.connector.modality_projection.', 'model.multi_modal_projector.'],
] as const;

/** Tiles of an ordinary picture of 4 : 3 at SmolVLM's own rules, the whole one included. */
const TYPICAL_TILES = 13;

/** What each tile shows, in fractions of the picture: the tiles row by row, then the whole picture small. */
export const tileParts = ([rows, columns]: readonly [number, number]): Part[] => [
  ...Array.from(
    { length: rows * columns },
    (_, i): Part => [(i % columns) / columns, Math.floor(i / columns) / rows, 1 / columns, 1 / rows],
  ),
  [0, 0, 1, 1],
];

/** A cell is a token of a tile; the small picture's tokens, which lie over the same place, show several. */
function cells(side: number, { grid: [rows, columns], size }: PictureLayout, shape: readonly number[]): PictureCells {
  const grid = [side * Math.max(rows, 1), side * Math.max(columns, 1)] as const;
  const tiles = tileParts([rows, columns]);
  return {
    grid,
    view: { left: 0, top: 0, ...size },
    pixelCells: pixelCells(grid, tiles, shape),
    tokenCells: tiles.flatMap(tile => tokenParts(tile, side)).map(part => cellsUnder(grid, part)),
  };
}

/** See `PictureFamily`. */
export const smolvlm: PictureFamily = {
  title: 'SmolVLM',
  naming: { old: [], new: NAMES },
  peft: {
    linear: '.*text_model\\.layers\\.\\d+\\.(self_attn\\.(q|k|v|o)_proj|mlp\\.(gate|up|down)_proj)',
    projector: 'modality_projection',
    outside: '.*(vision_model|connector).*',
  },
  processorType: 'Idefics3ImageProcessor',
  tiled: true,
  lacks: ['video'],
  pixelInput({ vision_config: { num_channels: channels, image_size: size } }) {
    return input('pixel_values', ['tiles', channels, size, size]);
  },
  towerFeatures: smolvlmTower,
  projectFeatures: smolvlmProjector,
  rows: (config, { shape }) => shape[0] * tileSide(config) ** 2,
  typicalTokens: config => TYPICAL_TILES * tileSide(config) ** 2,
  reader: smolvlmReader,
  describe(config) {
    const { image_size: size } = config.vision_config;
    return `tiles of ${size} x ${size} pixels and the whole picture small, ${tileSide(config) ** 2} tokens each (squares of ${scaleFactor(config)} x ${scaleFactor(config)} patches)`;
  },
  cells: (config, layout, shape) => cells(tileSide(config), layout, shape),
};

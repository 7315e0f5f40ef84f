/** @file SmolVLM (256M, 500M, 2.2B; Idefics3 is its elder): SigLIP on tiles, pixel shuffle, SmolLM2. */
import { input } from '../../graph/index.ts';
import type { PictureFamily, TokenPlaces } from '../llava/family.ts';
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

/** Tokens of the tiles, then those of the whole picture small, which lie over the same place. */
function places(side: number, { grid: [rows, columns], size }: Parameters<PictureFamily['places']>[1]): TokenPlaces {
  const over = (left: number, top: number, width: number, height: number): TokenPlaces['parts'] =>
    Array.from({ length: side * side }, (_, i) => {
      const [x, y] = [i % side, Math.floor(i / side)];
      return [left + (x * width) / side, top + (y * height) / side, width / side, height / side] as const;
    });
  const tiles = Array.from({ length: rows * columns }, (_, i) => {
    const [x, y] = [i % columns, Math.floor(i / columns)];
    return over(x / columns, y / rows, 1 / columns, 1 / rows);
  });
  return {
    grid: [side * Math.max(rows, 1), side * Math.max(columns, 1)],
    parts: [...tiles.flat(), ...over(0, 0, 1, 1)],
    view: { left: 0, top: 0, ...size },
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
  places: (config, layout) => places(tileSide(config), layout),
};

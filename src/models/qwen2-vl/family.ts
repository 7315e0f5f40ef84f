/** @file Qwen2-VL and Qwen2.5-VL: patches of any picture, a merger, positions by row and column. */

import { ALL_LINEAR } from '../../checkpoints/peft-layers.ts';
import { input } from '../../graph/index.ts';
import { IMAGE_MARK } from '../../inputs/chat/messages.ts';
import { ints, type Tensor } from '../../tensor/tensor.ts';
import type { LlavaConfig } from '../llava/config.ts';
import type { PictureCells, PictureFamily } from '../llava/family.ts';
import { noLayouts, type PictureLayout, tokensOf } from '../llava/pictures.ts';
import { patchPlaces, qwenLayout, qwenReader } from './reader.ts';
import { PICTURES, PLACES, patchCount, qwenMerger, qwenTower, qwenVision, WINDOW_PATCHES, WINDOW_PLACES, WINDOW_SHOWN } from './vision.ts';

/** Rows and columns of tokens. */
function tokenGrid(config: LlavaConfig, { grid }: Pick<PictureLayout, 'grid'>): readonly [number, number] {
  const merge = qwenVision(config).spatial_merge_size;
  return [grid[0] / merge, grid[1] / merge];
}

/** Windows as `WINDOW_PATCHES` and its like have them. @param windowOf the window of each patch, numbered from 0 */
function windowFeeds(windowOf: readonly number[]): Record<string, Tensor> {
  const members: number[][] = [];
  for (const [patch, window] of windowOf.entries()) {
    members[window] ??= [];
    members[window].push(patch);
  }
  const size = Math.max(...members.map(patches => patches.length));
  const [patches, shown, places] = [members.length * size, members.length * size, windowOf.length].map(n => new Int32Array(n));
  for (const [window, own] of members.entries())
    for (const [k, patch] of own.entries()) {
      const at = window * size + k;
      patches[at] = patch;
      shown[at] = 1;
      places[patch] = at;
    }
  return {
    [WINDOW_PATCHES]: ints([members.length, size], patches),
    [WINDOW_SHOWN]: ints([members.length, size], shown),
    [WINDOW_PLACES]: ints([windowOf.length], places),
  };
}

function feeds(config: LlavaConfig, layouts: readonly PictureLayout[]): Record<string, Tensor> {
  const { spatial_merge_size: merge, patch_size: patch, window_size: edge } = qwenVision(config);
  const [places, pictures, windows]: [number[], number[], number[]] = [[], [], []];
  // Windows are cut from the tokens' grid.
  const window = edge === undefined ? 1 : Math.floor(edge / merge / patch) * merge;
  let first = 0;
  for (const [picture, { grid }] of layouts.entries()) {
    const across = Math.ceil(grid[1] / window);
    for (const [row, column] of patchPlaces(grid, merge)) {
      places.push(row, column);
      pictures.push(picture);
      windows.push(first + Math.floor(row / window) * across + Math.floor(column / window));
    }
    first += across * Math.ceil(grid[0] / window);
  }
  return {
    [PLACES]: ints([pictures.length, 2], places),
    [PICTURES]: ints([pictures.length], pictures),
    ...(edge === undefined ? {} : windowFeeds(windows)),
  };
}

/** A cell is a token. */
function cells(config: LlavaConfig, layout: PictureLayout, shape: readonly number[]): PictureCells {
  const merge = qwenVision(config).spatial_merge_size;
  const grid = tokenGrid(config, layout);
  const each = shape[1];
  const pixelCells = new Int32Array(shape[0] * each);
  for (const [i, [row, column]] of patchPlaces(layout.grid, merge).entries())
    pixelCells.fill(Math.floor(row / merge) * grid[1] + Math.floor(column / merge), i * each, (i + 1) * each);
  return {
    grid,
    view: { left: 0, top: 0, ...layout.size },
    pixelCells,
    tokenCells: Array.from({ length: grid[0] * grid[1] }, (_, i) => [i]),
  };
}

/** @param title as people call it */
const qwen = (title: string): PictureFamily => ({
  title,
  naming: {
    old: [
      ['visual.merger.', 'model.multi_modal_projector.'],
      ['visual.', 'model.vision_tower.'],
      ['model.layers.', 'model.language_model.layers.'],
      ['model.embed_tokens.', 'model.language_model.embed_tokens.'],
      ['model.norm.', 'model.language_model.norm.'],
    ],
    new: [
      ['model.visual.merger.', 'model.multi_modal_projector.'],
      ['model.visual.', 'model.vision_tower.'],
    ],
  },
  peft: { linear: ALL_LINEAR, projector: 'merger', outside: '.*visual.*' },
  processorType: 'Qwen2VLImageProcessor',
  tiled: false,
  around: ['<|vision_start|>', '<|vision_end|>'],
  lacks: ['video'],
  towerRows: config => patchCount(qwenVision(config)),
  pixelInput(config, rows) {
    const { num_channels: channels, temporal_patch_size: frames, patch_size: patch } = qwenVision(config);
    return input('pixel_values', [rows ?? patchCount(qwenVision(config)), channels * frames * patch * patch]);
  },
  towerFeatures: qwenTower,
  projectFeatures: qwenMerger,
  feeds,
  tokenGrid,
  layoutFrom(config, [, rows, columns]) {
    const { patch_size: patch, spatial_merge_size: merge } = qwenVision(config);
    const grid = [rows, columns] as const;
    const size = { width: columns * patch, height: rows * patch };
    return { size, pixels: rows * columns, text: IMAGE_MARK, runs: [(rows * columns) / merge ** 2], grid };
  },
  rows(_config, { layouts }) {
    if (!layouts) throw noLayouts();
    return layouts.reduce((total, layout) => total + tokensOf(layout), 0);
  },
  typicalTokens: config => tokensOf(qwenLayout(config, { width: 1024, height: 768 }, { least: 56 * 56, most: 28 * 28 * 1280 })),
  reader: qwenReader,
  describe(config) {
    const { patch_size: patch, spatial_merge_size: merge, window_size: window } = qwenVision(config);
    return `patches of ${patch} x ${patch} pixels of the picture at its own size, ${merge * merge} to a token${window ? `, attention in windows of ${window} pixels` : ''}; positions by row and column`;
  },
  cells,
});

/** See `PictureFamily`. */
export const qwen2Vl = qwen('Qwen2-VL');
/** See `PictureFamily`. */
export const qwen25Vl = qwen('Qwen2.5-VL');

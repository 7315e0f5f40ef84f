/** @file The two pointing games of a map and a box at once, for evidence scripts. */
import { positiveShare } from './energy-pointing-game.ts';
import { located } from './located.ts';
import { shareOfHits } from './pointing-game.ts';

/** A box in pixels. */
export interface PixelBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Both games' scores of one map. */
export interface Localisation {
  /** Share of the map's positive part inside of the box, 0 to 1; the box's share of the image where the map is nowhere positive. */
  readonly energy: number;
  /** Share of the map's maxima that lie in the box: 1 or 0 but for ties. */
  readonly pointing: number;
}

/**
 * @param values per patch, row by row; upsampled (bilinear) to the image
 * @param grid rows, columns
 * @param size image height, width
 */
export function localisation(
  values: Float32Array,
  grid: readonly [number, number],
  size: readonly [number, number],
  box: PixelBox,
): Localisation {
  const truth = new Uint8Array(size[0] * size[1]);
  for (let y = box.top; y < box.top + box.height; y++) truth.fill(1, y * size[1] + box.left, y * size[1] + box.left + box.width);
  const { values: map } = located({ modality: 'image', map: values, grid, size, truth, key: 0 });
  const energy = positiveShare(map, truth);
  const share = (box.width * box.height) / truth.length;
  return { energy: Number.isNaN(energy) ? share : energy, pointing: shareOfHits(map, i => truth[i] === 1) };
}

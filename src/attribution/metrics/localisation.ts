/** @file How much of a map lies in a known box: the energy-based pointing game (Wang et al., Score-CAM, 2020) and the pointing game (Zhang et al. 2018). */
import { upsampleBilinear } from '../../inputs/image/bilinear.ts';

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
  const map = upsampleBilinear(values, [grid[0], grid[1]], [size[0], size[1]]);
  let inside = 0;
  let total = 0;
  let top = Number.NEGATIVE_INFINITY;
  let hits = 0;
  let ties = 0;
  for (let y = 0; y < size[0]; y++)
    for (let x = 0; x < size[1]; x++) {
      const value = map[y * size[1] + x];
      const within = x >= box.left && x < box.left + box.width && y >= box.top && y < box.top + box.height;
      if (value > 0) {
        total += value;
        if (within) inside += value;
      }
      if (value > top) {
        top = value;
        hits = 0;
        ties = 0;
      }
      if (value === top) {
        ties++;
        if (within) hits++;
      }
    }
  const share = (box.width * box.height) / (size[0] * size[1]);
  return { energy: total > 0 ? inside / total : share, pointing: hits / ties };
}

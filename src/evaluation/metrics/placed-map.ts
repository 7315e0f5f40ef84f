/** @file A map that lies on a picture, and boxes in that picture's pixels: which points of the map are inside, how much of it, whether its top is. */
import { upsampleBilinear } from '../../inputs/image/bilinear.ts';
import type { Rectangle } from '../../inputs/image/rgb-image.ts';
import { positiveShare } from './energy-pointing-game.ts';
import { shareOfHits } from './pointing-game.ts';
import { isConstant } from './ranking.ts';

/** A map of patches with the place at which it lies on its picture. */
export interface PatchMap {
  readonly grid: readonly [number, number];
  readonly patches: ArrayLike<number>;
  /** In pixels of the picture. */
  readonly view: Rectangle;
}

/** A map point by point: [height · width], row by row, over `view`. */
export interface FineMap {
  readonly values: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
  readonly view: Rectangle;
}

/** Points per patch, each way, at which a map of patches is read. */
const FINE = 16;

/** A map of patches between their centres (bilinear), sixteen points per patch each way; one that is constant stays so. */
export function fineMap({ grid: [rows, columns], patches, view }: PatchMap): FineMap {
  const [height, width] = [rows * FINE, columns * FINE];
  const map = Float32Array.from(patches);
  // Interpolation rounds: it would make an order of a map that has none.
  const values = isConstant(map) ? new Float32Array(height * width).fill(map[0]) : upsampleBilinear(map, [rows, columns], [height, width]);
  return { values, height, width, view };
}

/** 1 for points of the map that lie in any box (left, top, width, height in pixels of the picture), [height · width]. */
export function insideBoxes({ height, width, view }: Omit<FineMap, 'values'>, boxes: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from({ length: height * width }, (_, i) => {
    const x = view.left + (((i % width) + 0.5) * view.width) / width;
    const y = view.top + ((Math.floor(i / width) + 0.5) * view.height) / height;
    return boxes.some(([left, top, w, h]) => x >= left && x < left + w && y >= top && y < top + h) ? 1 : 0;
  });
}

/** What boxes hold of a map. */
export interface InsideScore {
  /** Share of the positive mass, as the energy pointing game has it; NaN for a map that is nowhere positive. */
  readonly energy: number;
  /** Share of the highest points, as the pointing game has it: 1 or 0 but for ties. */
  readonly pointing: number;
  /** Share of the map's area: what a uniform map gets. */
  readonly area: number;
}

/** Holds a map against boxes in pixels of its picture. */
export function scoreInside(map: FineMap, boxes: readonly (readonly number[])[]): InsideScore {
  const inside = insideBoxes(map, boxes);
  return {
    energy: positiveShare(map.values, inside),
    pointing: shareOfHits(map.values, at => inside[at] === 1),
    area: inside.reduce((sum, v) => sum + v, 0) / inside.length,
  };
}

/** @file How much of a map lies inside the box that the list gives for a pair: columns `box` and `boxes`, as `narrows compare` reads them. */
import { checkInside, listedBoxes, type PixelSize } from '../../evaluation/compare/data/boxes.ts';
import { positiveShare } from '../../evaluation/metrics/energy-pointing-game.ts';
import { upsampleBilinear } from '../../inputs/image/bilinear.ts';
import type { Rectangle } from '../../inputs/image/rgb-image.ts';
import type { ListedPair } from '../../inputs/pairs/read-pairs.ts';
import { NarrowsError } from '../../system/errors.ts';

/** A map with the place at which it lies on its picture. */
export interface PlacedMap {
  readonly grid: readonly [number, number];
  readonly patches: ArrayLike<number>;
  /** In pixels of the picture. */
  readonly view: Rectangle;
  readonly size: PixelSize;
}

/** Points per patch, each way, at which the map is read. */
const FINE = 16;

/** Share of the map's positive mass inside any of the boxes (left, top, width, height in pixels of the picture), from 0 to 1; NaN where it has none. */
export function shareInside({ grid: [rows, columns], patches, view }: PlacedMap, boxes: readonly (readonly number[])[]): number {
  const [height, width] = [rows * FINE, columns * FINE];
  const values = upsampleBilinear(Float32Array.from(patches), [rows, columns], [height, width]);
  const inside = Uint8Array.from(values, (_, i) => {
    const x = view.left + (((i % width) + 0.5) * view.width) / width;
    const y = view.top + ((Math.floor(i / width) + 0.5) * view.height) / height;
    return boxes.some(([left, top, w, h]) => x >= left && x < left + w && y >= top && y < top + h) ? 1 : 0;
  });
  return positiveShare(values, inside);
}

/** The share of a listed pair; a sentence where its box cannot be used; nothing where it has no box or no map. @param read asked only where there is a box */
export function insideBox(pair: ListedPair, read: () => PlacedMap | undefined): { readonly share?: number; readonly warning?: string } {
  try {
    const boxes = listedBoxes(pair.further, 'The pair');
    const map = boxes && read();
    if (!map) return {};
    for (const box of boxes) checkInside(box, map.size, 'The pair');
    const share = shareInside(map, boxes);
    return Number.isFinite(share) ? { share } : { warning: 'The map is nowhere positive, so no share of it lies inside the box.' };
  } catch (error) {
    if (!(error instanceof NarrowsError)) throw error;
    return { warning: `${error.message} The share inside the box is left out.` };
  }
}

/** @file How much of a map lies inside the box that the list gives for a pair: columns `box` and `boxes`, as `narrows compare` reads them. */

import type { ListedPair } from '../../../inputs/pairs/pair-rows.ts';
import { NarrowsError } from '../../../system/errors.ts';
import { fineMap, type PatchMap, scoreInside } from '../../metrics/placed-map.ts';
import { checkInside, listedBoxes, type PixelSize } from './boxes.ts';

/** A map with the place at which it lies on its picture, and the size of that. */
export interface PlacedMap extends PatchMap {
  readonly size: PixelSize;
}

/** Share of the map's positive mass inside any of the boxes (left, top, width, height in pixels of the picture), from 0 to 1; NaN where it has none. */
export const shareInside = (map: PatchMap, boxes: readonly (readonly number[])[]): number => scoreInside(fineMap(map), boxes).energy;

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

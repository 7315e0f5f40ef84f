/** @file Masks out of boxes, polygons and run lengths, and masks as a model sees them. */
import type { Rectangle } from '../../../inputs/image/rgb-image.ts';
import type { Mask } from './sample.ts';

/** An empty mask. */
export const emptyMask = (width: number, height: number): Mask => ({ width, height, data: new Uint8Array(width * height) });

/** Fills a box [left, top, width, height]; a pixel belongs to it where its centre does. */
export function fillBox(mask: Mask, [left, top, width, height]: readonly number[]): void {
  const [x0, y0] = [Math.max(0, Math.ceil(left - 0.5)), Math.max(0, Math.ceil(top - 0.5))];
  const x1 = Math.min(mask.width, Math.ceil(left + width - 0.5));
  const y1 = Math.min(mask.height, Math.ceil(top + height - 0.5));
  for (let y = y0; y < y1; y++) mask.data.fill(1, y * mask.width + x0, y * mask.width + Math.max(x0, x1));
}

/** Fills a polygon x0, y0, x1, y1, … by the even-odd rule at pixel centres. */
export function fillPolygon(mask: Mask, points: readonly number[]): void {
  const corners = points.length / 2;
  for (let y = 0; y < mask.height; y++) {
    const at = y + 0.5;
    const crossings: number[] = [];
    for (let i = 0; i < corners; i++) {
      const j = (i + 1) % corners;
      const [ya, yb] = [points[2 * i + 1], points[2 * j + 1]];
      if (ya <= at === yb <= at) continue;
      crossings.push(points[2 * i] + ((at - ya) / (yb - ya)) * (points[2 * j] - points[2 * i]));
    }
    crossings.sort((a, b) => a - b);
    for (let k = 0; k + 1 < crossings.length; k += 2) {
      const from = Math.max(0, Math.ceil(crossings[k] - 0.5));
      const to = Math.min(mask.width, Math.ceil(crossings[k + 1] - 0.5));
      if (to > from) mask.data.fill(1, y * mask.width + from, y * mask.width + to);
    }
  }
}

/** Sets what `other` (same size) sets. */
export function addMask(mask: Mask, other: ArrayLike<number>): void {
  for (let i = 0; i < mask.data.length; i++) if (other[i]) mask.data[i] = 1;
}

/**
 * Counts of COCO's compressed run lengths: characters from '0' on carry five bits each, lowest first, a sixth says that more follow, the
 * highest bit of the last is the sign; from the fourth count on, the difference to the count two before stands (the COCO API's format).
 */
export function rleCounts(text: string): number[] {
  const counts: number[] = [];
  let value = 0;
  let shift = 0;
  for (const character of text) {
    const code = character.charCodeAt(0) - 48;
    value |= (code & 31) << shift;
    shift += 5;
    if (code & 32) continue;
    if (code & 16) value |= -1 << shift;
    counts.push(counts.length > 2 ? value + counts[counts.length - 2] : value);
    value = 0;
    shift = 0;
  }
  return counts;
}

/**
 * The mask over the model's view: nearest pixel of the picture at the centre of each of the view's pixels; 0 where the view reaches outside.
 * @param view what the processor says the model sees, in pixels of the picture
 * @param size height and width of the view in the model's pixels
 */
export function maskInView(mask: Mask, view: Rectangle, [height, width]: readonly [number, number]): Uint8Array {
  const out = new Uint8Array(height * width);
  const columns = Array.from({ length: width }, (_, x) => Math.floor(view.left + ((x + 0.5) * view.width) / width));
  for (let y = 0; y < height; y++) {
    const row = Math.floor(view.top + ((y + 0.5) * view.height) / height);
    if (row < 0 || row >= mask.height) continue;
    for (let x = 0; x < width; x++) {
      const column = columns[x];
      if (column >= 0 && column < mask.width) out[y * width + x] = mask.data[row * mask.width + column] ? 1 : 0;
    }
  }
  return out;
}

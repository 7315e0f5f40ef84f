/** @file Where the objects of a scene stand and how large they are: random places with little overlap, a grid when chance fails. */
import { NarrowsError } from '../system/errors.ts';
import type { RandomReader } from '../tensor/random.ts';
import type { Sprite } from './sprite-atlas.ts';

/** A sprite's place: index into the sizes, and its upper left corner in pixels. */
export interface Place {
  readonly size: number;
  readonly left: number;
  readonly top: number;
}

/** The canvas and the limits of placement (see `SceneOptions`). */
export interface PlacementOptions {
  readonly width: number;
  readonly height: number;
  readonly minSize: number;
  readonly maxSize: number;
  readonly maxOverlap: number;
}

/** Tries at one place before the next size, and whole layouts before the grid. */
const TRIES = 24;
const LAYOUTS = 4;

/**
 * Places `count` sprites. Sizes are uniform over the allowed ones: up to `maxSize` for one or two objects, the lower half of the range
 * for three or four, the lower quarter beyond.
 * @param sprite gives the sprite of object `k` at a size index.
 * @throws NarrowsError when no loaded size lies in the range, or the smallest does not fit the canvas `count` times.
 */
export function placeObjects(
  sprite: (k: number, size: number) => Sprite,
  count: number,
  sizes: readonly number[],
  options: PlacementOptions,
  reader: RandomReader,
): Place[] {
  const { width, height, minSize, maxSize } = options;
  const share = count <= 2 ? 1 : count <= 4 ? 0.5 : 0.25;
  const limit = Math.min(width, height, minSize + (maxSize - minSize) * share);
  const first = sizes.findIndex(s => s >= minSize);
  let last = first;
  while (last + 1 < sizes.length && sizes[last + 1] <= limit) last++;
  if (first < 0 || sizes[first] > limit) {
    throw new NarrowsError(`No sprite size lies between ${minSize} and ${limit} pixels; loaded are ${sizes.join(', ')}.`, {
      kind: 'usage',
    });
  }
  const columns = Math.ceil(Math.sqrt(count));
  const rows = Math.ceil(count / Math.max(1, columns));
  if (count > 0 && (width < columns * sizes[first] || height < rows * sizes[first])) {
    throw new NarrowsError(
      `${count} objects of ${sizes[first]} pixels do not fit a canvas of ${width}×${height}; use fewer or smaller objects.`,
      {
        kind: 'usage',
      },
    );
  }
  for (let layout = 0; layout < LAYOUTS; layout++) {
    const places = scatter(sprite, count, first, last, options, reader);
    if (places) return places;
  }
  const cellWidth = Math.floor(width / columns);
  const cellHeight = Math.floor(height / rows);
  let size = last;
  while (size > first && sizes[size] > Math.min(cellWidth, cellHeight)) size--;
  const cells = reader.shuffle(Array.from({ length: columns * rows }, (_, i) => i));
  return Array.from({ length: count }, (_, k) => {
    const { width: w, height: h } = sprite(k, size);
    const left = (cells[k] % columns) * cellWidth + reader.integer(cellWidth - w + 1);
    const top = Math.floor(cells[k] / columns) * cellHeight + reader.integer(cellHeight - h + 1);
    return { size, left, top };
  });
}

function scatter(
  sprite: (k: number, size: number) => Sprite,
  count: number,
  first: number,
  last: number,
  { width, height, maxOverlap }: PlacementOptions,
  reader: RandomReader,
): Place[] | null {
  const places: (Place & { w: number; h: number })[] = [];
  for (let k = 0; k < count; k++) {
    const size = first + reader.integer(last - first + 1);
    const { width: w, height: h } = sprite(k, size);
    let tries = 0;
    for (; tries < TRIES; tries++) {
      const left = reader.integer(width - w + 1);
      const top = reader.integer(height - h + 1);
      const free = places.every(p => {
        const across = Math.min(left + w, p.left + p.w) - Math.max(left, p.left);
        const down = Math.min(top + h, p.top + p.h) - Math.max(top, p.top);
        return across <= 0 || down <= 0 || across * down <= maxOverlap * Math.min(w * h, p.w * p.h);
      });
      if (!free) continue;
      places.push({ size, left, top, w, h });
      break;
    }
    if (tries === TRIES) return null;
  }
  return places.map(({ size, left, top }) => ({ size, left, top }));
}

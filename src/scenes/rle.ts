/** @file Masks as COCO's uncompressed run lengths: alternating counts of empty and filled pixels down the columns. */
import { NarrowsError } from '../system/errors.ts';

/** COCO's uncompressed RLE: `size` is [height, width]; `counts` begins with the number of empty pixels and runs column by column. */
export interface Rle {
  readonly size: readonly [number, number];
  readonly counts: readonly number[];
}

/** Encodes the pixels of `owners` [height × width, row-major] that equal `owner`. */
export function encodeRle(owners: ArrayLike<number>, width: number, height: number, owner: number): Rle {
  const counts: number[] = [];
  let filled = false;
  let run = 0;
  for (let x = 0; x < width; x++) {
    for (let i = x; i < width * height; i += width) {
      if ((owners[i] === owner) === filled) run++;
      else {
        counts.push(run);
        filled = !filled;
        run = 1;
      }
    }
  }
  counts.push(run);
  return { size: [height, width], counts };
}

/**
 * Decodes to a row-major mask [height × width] of 0 and 1.
 * @throws NarrowsError when the counts do not add up to the size.
 */
export function decodeRle({ size: [height, width], counts }: Rle): Uint8Array {
  const total = counts.reduce((sum, n) => sum + n, 0);
  if (total !== width * height || counts.some(n => n < 0)) {
    throw new NarrowsError(`The mask's run lengths add up to ${total} pixels, but its size is ${height}×${width}; the record is damaged.`);
  }
  const mask = new Uint8Array(total);
  let at = 0;
  counts.forEach((count, k) => {
    for (let end = at + count; at < end; at++) if (k % 2 === 1) mask[(at % height) * width + Math.floor(at / height)] = 1;
  });
  return mask;
}

/** @file How much of each cell of a map lies in a box. */
import type { ImageAttribution } from '../../attribution/result.ts';

/**
 * The share of every cell's area that the box covers, row by row, in 0…1.
 * @param box `[left, top, width, height]` in the pixels of the picture that the map lies on
 */
export function cellShares(
  { grid, view }: Pick<ImageAttribution, 'grid' | 'view'>,
  box: readonly [number, number, number, number],
): Float64Array {
  const [rows, columns] = grid;
  const [left, top, width, height] = box;
  const overlap = (a: number, b: number, c: number, d: number): number => Math.max(0, Math.min(b, d) - Math.max(a, c));
  return Float64Array.from({ length: rows * columns }, (_, i) => {
    const [y, x] = [Math.floor(i / columns), i % columns];
    const [tall, wide] = [view.height / rows, view.width / columns];
    const [from, up] = [view.left + x * wide, view.top + y * tall];
    return (overlap(from, from + wide, left, left + width) / wide) * (overlap(up, up + tall, top, top + height) / tall);
  });
}

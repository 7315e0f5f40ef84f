/** @file From the pointer to patches and pixels, and back to places on the page. */
import type { Box } from '../../requests.ts';
import type { ImageMap } from './maps.ts';

/** Width and height of a picture in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The patch under a point of the picture (in its pixels), row by row; undefined outside the model's view. */
export function patchAt({ grid, view }: Pick<ImageMap, 'grid' | 'view'>, x: number, y: number): number | undefined {
  const column = Math.floor(((x - view.left) / view.width) * grid[1]);
  const row = Math.floor(((y - view.top) / view.height) * grid[0]);
  return row < 0 || column < 0 || row >= grid[0] || column >= grid[1] ? undefined : row * grid[1] + column;
}

/** The part of the picture that patches from one to another cover, in its pixels, cut at its edges; undefined where nothing of it is left. */
export function patchBox({ grid, view }: Pick<ImageMap, 'grid' | 'view'>, size: Size, from: number, to = from): Box | undefined {
  const [rows, columns] = [grid[0], grid[1]];
  const low = (a: number, b: number): number => Math.min(a, b);
  const high = (a: number, b: number): number => Math.max(a, b);
  const [r0, c0, r1, c1] = [Math.floor(from / columns), from % columns, Math.floor(to / columns), to % columns];
  const left = high(0, view.left + (view.width * low(c0, c1)) / columns);
  const top = high(0, view.top + (view.height * low(r0, r1)) / rows);
  const right = low(size.width, view.left + (view.width * (high(c0, c1) + 1)) / columns);
  const bottom = low(size.height, view.top + (view.height * (high(r0, r1) + 1)) / rows);
  return right > left && bottom > top ? { left, top, width: right - left, height: bottom - top } : undefined;
}

/** A place in percent of the picture, for styles. */
export const percentages = (box: Box, size: Size): Record<'left' | 'top' | 'width' | 'height', string> => ({
  left: `${(100 * box.left) / size.width}%`,
  top: `${(100 * box.top) / size.height}%`,
  width: `${(100 * box.width) / size.width}%`,
  height: `${(100 * box.height) / size.height}%`,
});

/** The box between two corners, in whole pixels within the picture; undefined where it is smaller than two pixels each way. */
export function dragBox(a: readonly [number, number], b: readonly [number, number], size: Size): Box | undefined {
  const clamp = (value: number, most: number): number => Math.round(Math.min(most, Math.max(0, value)));
  const [left, right] = [clamp(Math.min(a[0], b[0]), size.width), clamp(Math.max(a[0], b[0]), size.width)];
  const [top, bottom] = [clamp(Math.min(a[1], b[1]), size.height), clamp(Math.max(a[1], b[1]), size.height)];
  return right - left >= 2 && bottom - top >= 2 ? { left, top, width: right - left, height: bottom - top } : undefined;
}

/** The patch that an arrow key leads to. */
export function patchBeside([rows, columns]: readonly [number, number], patch: number, key: string): number | undefined {
  const [row, column] = [Math.floor(patch / columns), patch % columns];
  const at = (r: number, c: number): number => Math.max(0, Math.min(rows - 1, r)) * columns + Math.max(0, Math.min(columns - 1, c));
  switch (key) {
    case 'ArrowLeft':
      return at(row, column - 1);
    case 'ArrowRight':
      return at(row, column + 1);
    case 'ArrowUp':
      return at(row - 1, column);
    case 'ArrowDown':
      return at(row + 1, column);
    case 'Home':
      return at(row, 0);
    case 'End':
      return at(row, columns - 1);
    default:
      return undefined;
  }
}

/** Boxes of a link, in pixels of its picture; what is none is left out. */
export function boxesOf(text: string | undefined, size: Size): Box[] {
  return (text ?? '').split(';').flatMap(each => {
    const numbers = each.split(',').map(Number);
    const [left, top, width, height] = numbers;
    if (numbers.length !== 4 || !numbers.every(value => Number.isFinite(value) && value >= 0) || width === 0 || height === 0) return [];
    return left + width <= size.width + 1 && top + height <= size.height + 1 ? [{ left, top, width, height }] : [];
  });
}

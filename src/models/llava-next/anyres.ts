/**
 * @file Pictures of any size as LLaVA-NeXT and LLaVA-OneVision take them: the canvas that a picture is laid on, the tokens of its tiles that
 * are not border, and how they become a row (`pack_image_features` of transformers).
 */
import type { Size } from '../llava/pictures.ts';

/** The canvas with the most of the picture's own pixels and, among those, the least border. @param canvases [height, width] */
export function bestCanvas({ width, height }: Size, canvases: readonly (readonly [number, number])[]): readonly [number, number] {
  let best = canvases[0];
  let [most, least] = [0, Number.POSITIVE_INFINITY];
  for (const canvas of canvases) {
    const [tall, wide] = canvas;
    const scale = Math.min(wide / width, tall / height);
    const used = Math.min(Math.trunc(width * scale) * Math.trunc(height * scale), width * height);
    const border = wide * tall - used;
    if (used < most || (used === most && border >= least)) continue;
    [most, least, best] = [used, border, canvas];
  }
  return best;
}

/** The size of the picture on its canvas. */
export function sizeOnCanvas({ width, height }: Size, [tall, wide]: readonly [number, number]): Size {
  const [across, down] = [wide / width, tall / height];
  if (across < down) return { width: wide, height: Math.min(Math.ceil(height * across), tall) };
  return { width: Math.min(Math.ceil(width * down), wide), height: tall };
}

/** As Python's int(round(x, 7)), which drops what division left behind the seventh digit. */
const settled = (x: number): number => Math.trunc(Number(x.toFixed(7)));

/** What of a canvas of tokens shows the picture. */
export interface Unpadded {
  readonly top: number;
  readonly left: number;
  readonly rows: number;
  readonly columns: number;
}

/** A canvas of `rows` × `columns` tokens without its border. */
export function unpad({ width, height }: Size, rows: number, columns: number): Unpadded {
  if (width / height > columns / rows) {
    const top = Math.floor((rows - settled(height * (columns / width))) / 2);
    return { top, left: 0, rows: rows - 2 * top, columns };
  }
  const left = Math.floor((columns - settled(width * (rows / height))) / 2);
  return { top: 0, left, rows, columns: columns - 2 * left };
}

/** Rows and columns of tokens that are kept: all, or so few that no more than `most` tiles' worth are left (OneVision). */
export function keptTokens({ rows, columns }: Unpadded, side: number, most?: number): readonly [number, number] {
  if (most === undefined) return [rows, columns];
  const ratio = Math.sqrt((rows * columns) / (most * side ** 2));
  return ratio > 1.1 ? [Math.floor(rows / ratio), Math.floor(columns / ratio)] : [rows, columns];
}

/** Two neighbours of each output and the second's weight: `interpolate(mode='bilinear', align_corners=False)` of PyTorch, one axis. */
function taps(from: number, to: number): { first: number; second: number; weight: number }[] {
  return Array.from({ length: to }, (_, i) => {
    const at = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    const first = Math.min(Math.floor(at), from - 1);
    return { first, second: Math.min(first + 1, from - 1), weight: at - first };
  });
}

/** How one token of the row is made: rows of the tiles' features with their weights. */
export type Mixture = readonly (readonly [row: number, weight: number])[];

/** The token that ends each line. */
export const NEWLINE = -1;

/**
 * The tokens of a picture, the small whole picture's first; rows of features are counted from the picture's first tile.
 * @param grid rows and columns of tiles @param side tokens of a tile along one edge; each has `side`² of them
 */
export function packing(size: Size, grid: readonly [number, number], side: number, most?: number): Mixture[] {
  const whole: Mixture[] = Array.from({ length: side * side }, (_, i) => [[i, 1]]);
  if (grid[0] === 0) return [...whole, [[NEWLINE, 1]]];
  const shown = unpad(size, grid[0] * side, grid[1] * side);
  const [rows, columns] = keptTokens(shown, side, most);
  const rowOf = (y: number, x: number): number => {
    const [row, column] = [shown.top + y, shown.left + x];
    const tile = Math.floor(row / side) * grid[1] + Math.floor(column / side);
    return (1 + tile) * side * side + (row % side) * side + (column % side);
  };
  const same = rows === shown.rows && columns === shown.columns;
  const [down, across] = [taps(shown.rows, rows), taps(shown.columns, columns)];
  const lines = down.map((v, y) => [
    ...across.map((h, x): Mixture => {
      if (same) return [[rowOf(y, x), 1]];
      return [
        [rowOf(v.first, h.first), (1 - v.weight) * (1 - h.weight)],
        [rowOf(v.first, h.second), (1 - v.weight) * h.weight],
        [rowOf(v.second, h.first), v.weight * (1 - h.weight)],
        [rowOf(v.second, h.second), v.weight * h.weight],
      ];
    }),
    [[NEWLINE, 1]] as Mixture,
  ]);
  return [...whole, ...lines.flat()];
}

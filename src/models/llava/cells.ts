/** @file Where tiles and tokens of a picture lie on the grid of a map: parts of the picture in fractions, cells by their centres. */

/** A part of what the grid covers: left, top, width, height, in fractions of it; may reach outside. */
export type Part = readonly [left: number, top: number, width: number, height: number];

/** The cells of a grid whose centres a part covers, row by row; of a part smaller than a cell, the one under its middle. */
export function cellsUnder([rows, columns]: readonly [number, number], [left, top, width, height]: Part): number[] {
  // Thousandths of a cell: edges that meet a centre but for rounding are on the same side for both neighbours.
  const range = (from: number, size: number, count: number): number[] => {
    const [first, last] = [Math.ceil(from * count - 0.501), Math.ceil((from + size) * count - 0.501) - 1];
    const found = [];
    for (let i = Math.max(0, first); i <= Math.min(count - 1, last); i++) found.push(i);
    if (found.length) return found;
    const middle = Math.floor((from + size / 2) * count);
    return middle >= 0 && middle < count ? [middle] : [];
  };
  const across = range(left, width, columns);
  return range(top, height, rows).flatMap(y => across.map(x => y * columns + x));
}

/** The squares of `side` × `side` tokens of a part, row by row. */
export const tokenParts = ([left, top, width, height]: Part, side: number): Part[] =>
  Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    return [left + (x * width) / side, top + (y * height) / side, width / side, height / side];
  });

/** For each element of tiles [T, C, H, W], the cell that its pixel shows, or −1 outside of the grid. @param tiles the part that each shows */
export function pixelCells(grid: readonly [number, number], tiles: readonly Part[], shape: readonly number[]): Int32Array {
  const [, channels, height, width] = shape;
  const [rows, columns] = grid;
  const out = new Int32Array(tiles.length * channels * height * width);
  let at = 0;
  for (const [left, top, wide, tall] of tiles)
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const row = Math.floor((top + ((y + 0.5) * tall) / height) * rows);
          const column = Math.floor((left + ((x + 0.5) * wide) / width) * columns);
          out[at++] = row >= 0 && row < rows && column >= 0 && column < columns ? row * columns + column : -1;
        }
  return out;
}

/** @file Where a grey picture has edges, and how far every pixel lies from the next one: OpenCV's Canny and its 5 x 5 distance transform. */
import { clampIndex } from './float-image.ts';
import type { Grey } from './grey.ts';

/** tan 22.5° in fifteen bits of fraction. */
const TAN = Math.round((Math.SQRT2 - 1) * 2 ** 15);
const NEIGHBOURS = [-1, 0, 1].flatMap(dy => [-1, 0, 1].map(dx => [dx, dy] as const)).filter(([dx, dy]) => dx !== 0 || dy !== 0);

interface Slopes {
  readonly across: Int32Array;
  readonly down: Int32Array;
  /** |across| + |down|, with a frame of zeros one pixel wide around the picture. */
  readonly size: Int32Array;
}

/** Sobel's derivatives of 3 x 3; the edge pixel goes on beyond the edges. */
function slopes({ width, height, data }: Grey): Slopes {
  const across = new Int32Array(data.length);
  const down = new Int32Array(data.length);
  const size = new Int32Array((width + 2) * (height + 2));
  const left = Int32Array.from({ length: width }, (_, x) => clampIndex(x - 1, width));
  const right = Int32Array.from({ length: width }, (_, x) => clampIndex(x + 1, width));
  for (let y = 0, i = 0; y < height; y++) {
    const above = clampIndex(y - 1, height) * width;
    const here = y * width;
    const below = clampIndex(y + 1, height) * width;
    for (let x = 0; x < width; x++, i++) {
      const [l, r] = [left[x], right[x]];
      const rising = data[below + r] - data[above + l];
      const falling = data[above + r] - data[below + l];
      across[i] = rising + falling + 2 * (data[here + r] - data[here + l]);
      down[i] = rising - falling + 2 * (data[below + x] - data[above + x]);
      size[(y + 1) * (width + 2) + x + 1] = Math.abs(across[i]) + Math.abs(down[i]);
    }
  }
  return { across, down, size };
}

/** Whether a slope is the largest along its own direction: horizontal, vertical or diagonal. @param k place in `size` */
function isRidge(dx: number, dy: number, size: Int32Array, k: number, wide: number): boolean {
  const m = size[k];
  const y = Math.abs(dy) * 2 ** 15;
  const flat = Math.abs(dx) * TAN;
  if (y < flat) return m > size[k - 1] && m >= size[k + 1];
  if (y > flat + Math.abs(dx) * 2 ** 16) return m > size[k - wide] && m >= size[k + wide];
  const step = dx < 0 !== dy < 0 ? -1 : 1;
  return m > size[k - wide - step] && m > size[k + wide + step];
}

/**
 * Canny's edges: ridges of the slope above `high`, and those above `low` that hang together with one.
 * @returns 1 on edges, 0 elsewhere
 */
export function cannyEdges(image: Grey, low: number, high: number): Uint8Array {
  const { width, height } = image;
  const { across, down, size } = slopes(image);
  const wide = width + 2;
  const weak = new Uint8Array(across.length);
  const edges = new Uint8Array(across.length);
  const open: number[] = [];
  for (let i = 0; i < weak.length; i++) {
    const k = (Math.trunc(i / width) + 1) * wide + (i % width) + 1;
    if (size[k] <= low || !isRidge(across[i], down[i], size, k, wide)) continue;
    weak[i] = 1;
    if (size[k] > high) {
      edges[i] = 1;
      open.push(i);
    }
  }
  for (let i = open.pop(); i !== undefined; i = open.pop()) {
    const [x, y] = [i % width, Math.trunc(i / width)];
    for (const [dx, dy] of NEIGHBOURS) {
      if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) continue;
      const j = i + dy * width + dx;
      if (weak[j] && !edges[j]) {
        edges[j] = 1;
        open.push(j);
      }
    }
  }
  return edges;
}

/** Lengths of a step to the side, of a diagonal one and of a knight's move, in single precision as their sums are. */
const STEPS = [1, 1.4, 2.1969].map(Math.fround);
/** How far every pixel lies from the next marked one, by chamfer steps (`cv2.distanceTransform` with DIST_L2 and 5); over 8000 where none is marked. */
export function distances({ width, height, data }: Grey): Float32Array {
  const far = 2 ** 13;
  const pad = 2;
  const wide = width + 2 * pad;
  const way = new Float32Array(wide * (height + 2 * pad)).fill(far);
  const [straight, diagonal, knight] = STEPS;
  /** The shortest way over the neighbours on one side; `down` is a row back, `across` a pixel back, both negative for the other side. */
  const over = (k: number, down: number, across: number): number => {
    const row = Math.min(way[k - down - across], way[k - down + across]) + diagonal;
    const knights = Math.min(way[k - 2 * down - across], way[k - 2 * down + across], way[k - down - 2], way[k - down + 2]) + knight;
    return Math.min(way[k - down] + straight, way[k - across] + straight, row, knights);
  };
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) {
      const k = (y + pad) * wide + x + pad;
      way[k] = data[i] ? 0 : over(k, wide, 1);
    }
  const out = new Float32Array(data.length);
  for (let y = height - 1; y >= 0; y--)
    for (let x = width - 1; x >= 0; x--) {
      const k = (y + pad) * wide + x + pad;
      way[k] = Math.min(way[k], over(k, -wide, -1));
      out[y * width + x] = way[k];
    }
  return out;
}

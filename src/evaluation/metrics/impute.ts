/**
 * @file ROAD's imputation (Rong et al., ICML 2022): each removed pixel is the weighted mean of its neighbours, removed ones among them, which
 * is one sparse linear system. Solved by conjugate gradients from the solution on a grid of half the side, and so on downwards.
 */

/** Direct neighbours weigh 1/6, diagonal ones 1/12. */
const NEIGHBOURS = [
  [-1, -1, 1 / 12],
  [-1, 0, 1 / 6],
  [-1, 1, 1 / 12],
  [0, -1, 1 / 6],
  [0, 1, 1 / 6],
  [1, -1, 1 / 12],
  [1, 0, 1 / 6],
  [1, 1, 1 / 12],
] as const;
/** Residual, relative to the first one, at which a solution is good enough: the noise that is added later is far larger. */
const ENOUGH = 1e-5;

/** The system of one grid: row i says that total·x − Σ weight·neighbour = 0 at a removed cell. */
interface Level {
  readonly height: number;
  readonly width: number;
  readonly removed: Uint8Array;
  /** Removed cells. */
  readonly gone: Int32Array;
  /** Eight places and weights per removed cell (weight 0 beyond the border), and the sum of the weights. */
  readonly at: Int32Array;
  readonly weights: Float64Array;
  readonly total: Float64Array;
}

function levelOf(removed: Uint8Array, height: number, width: number): Level {
  const gone = Int32Array.from(Array.from(removed.keys()).filter(i => removed[i]));
  const at = new Int32Array(gone.length * 8);
  const weights = new Float64Array(gone.length * 8);
  const total = new Float64Array(gone.length);
  for (let g = 0; g < gone.length; g++) {
    const [y, x] = [Math.floor(gone[g] / width), gone[g] % width];
    for (let k = 0; k < 8; k++) {
      const [dy, dx, w] = NEIGHBOURS[k];
      const [v, u] = [y + dy, x + dx];
      if (v < 0 || u < 0 || v >= height || u >= width) continue;
      at[g * 8 + k] = v * width + u;
      weights[g * 8 + k] = w;
      total[g] += w;
    }
  }
  return { height, width, removed, gone, at, weights, total };
}

/** The grid and ever coarser ones, until nothing is removed or the grid is tiny. A coarse cell is removed where all its four are. */
function levelsOf(removed: Uint8Array, [height, width]: readonly [number, number]): Level[] {
  const level = levelOf(removed, height, width);
  if (level.gone.length === 0 || Math.min(height, width) <= 2) return [level];
  const half = [Math.ceil(height / 2), Math.ceil(width / 2)] as const;
  const coarse = new Uint8Array(half[0] * half[1]).fill(1);
  for (let i = 0; i < removed.length; i++) if (!removed[i]) coarse[parentOf(i, width)] = 0;
  return [level, ...levelsOf(coarse, half)];
}

const parentOf = (i: number, width: number): number =>
  Math.floor(Math.floor(i / width) / 2) * Math.ceil(width / 2) + Math.floor((i % width) / 2);

/**
 * Fills removed pixels. Where nothing is left they become 0.
 * @param pixels [3, H, W] @param removed 1 where a pixel goes @param iterations of conjugate gradients on each grid, at most
 */
export function imputeLinear(pixels: Float32Array, size: readonly [number, number], removed: Uint8Array, iterations: number): Float32Array {
  const levels = levelsOf(removed, size);
  const area = size[0] * size[1];
  const out = pixels.slice();
  for (let c = 0; c * area < pixels.length; c++) {
    const plane = Float64Array.from(out.subarray(c * area, (c + 1) * area));
    fill(plane, levels, iterations);
    for (const i of levels[0].gone) out[c * area + i] = plane[i];
  }
  return out;
}

function fill(plane: Float64Array, [level, ...coarser]: readonly Level[], iterations: number): void {
  const { removed, gone, width } = level;
  if (gone.length === 0) return;
  if (coarser.length === 0) {
    let sum = 0;
    for (let i = 0; i < plane.length; i++) if (!removed[i]) sum += plane[i];
    for (const i of gone) plane[i] = gone.length < plane.length ? sum / (plane.length - gone.length) : 0;
  } else {
    const [{ height: h, width: w }] = coarser;
    const [half, count] = [new Float64Array(h * w), new Float64Array(h * w)];
    for (let i = 0; i < plane.length; i++) {
      if (removed[i]) continue;
      half[parentOf(i, width)] += plane[i];
      count[parentOf(i, width)]++;
    }
    for (let j = 0; j < half.length; j++) if (count[j]) half[j] /= count[j];
    fill(half, coarser, iterations);
    for (const i of gone) plane[i] = between(half, h, w, (Math.floor(i / width) - 0.5) / 2, ((i % width) - 0.5) / 2);
  }
  conjugateGradients(plane, level, iterations);
}

/** Bilinear value at (y, x), the border kept beyond the outer centres. */
function between(values: Float64Array, height: number, width: number, y: number, x: number): number {
  const [y0, x0] = [Math.max(0, Math.floor(y)), Math.max(0, Math.floor(x))];
  const [y1, x1] = [Math.min(height - 1, y0 + 1), Math.min(width - 1, x0 + 1)];
  const [fy, fx] = [Math.max(0, y - y0), Math.max(0, x - x0)];
  const above = (1 - fx) * values[y0 * width + x0] + fx * values[y0 * width + x1];
  const below = (1 - fx) * values[y1 * width + x0] + fx * values[y1 * width + x1];
  return (1 - fy) * above + fy * below;
}

/** Improves the removed cells of a plane; the system is symmetric and, where anything is left, positive definite. Scaled by its diagonal. */
function conjugateGradients(plane: Float64Array, { gone, at, weights, total, removed }: Level, iterations: number): void {
  const n = gone.length;
  if (n === removed.length) return;
  const [residual, direction, image] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  const around = (values: Float64Array, g: number): number => {
    let sum = 0;
    for (let j = g * 8; j < g * 8 + 8; j++) sum += weights[j] * values[at[j]];
    return sum;
  };
  let energy = 0;
  for (let g = 0; g < n; g++) {
    residual[g] = around(plane, g) - total[g] * plane[gone[g]];
    direction[g] = residual[g] / total[g];
    energy += residual[g] * direction[g];
  }
  // The direction as a plane: 0 where pixels stay.
  const spread = new Float64Array(plane.length);
  const enough = ENOUGH ** 2 * energy;
  for (let k = 0; k < iterations && energy > enough; k++) {
    for (let g = 0; g < n; g++) spread[gone[g]] = direction[g];
    let curvature = 0;
    for (let g = 0; g < n; g++) {
      image[g] = total[g] * direction[g] - around(spread, g);
      curvature += direction[g] * image[g];
    }
    const step = energy / curvature;
    let next = 0;
    for (let g = 0; g < n; g++) {
      plane[gone[g]] += step * direction[g];
      residual[g] -= step * image[g];
      next += (residual[g] * residual[g]) / total[g];
    }
    for (let g = 0; g < n; g++) direction[g] = residual[g] / total[g] + (next / energy) * direction[g];
    energy = next;
  }
}

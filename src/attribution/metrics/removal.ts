/** @file Deletion and insertion curves over patches (Petsiuk et al., RISE, BMVC 2018): the cosine while the map's best patches go or come. */
import type { DualEncoder } from '../../models/dual-encoder.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { cosine } from '../pair.ts';

/** Cosines along both curves. */
export interface RemovalCurves {
  /** Cosine after each share of the patches was deleted (best first), from the whole image to none. Lower area is better. */
  readonly deletion: number[];
  /** Cosine after each share was inserted into the mean colour (best first). Higher area is better. */
  readonly insertion: number[];
}

/** Area under a curve over [0, 1], trapezoids. */
export const areaUnder = (curve: readonly number[]): number =>
  curve.slice(1).reduce((sum, v, i) => sum + (v + curve[i]) / 2, 0) / (curve.length - 1);

/**
 * @param pixelValues one image [3, H, W]; removed patches become 0, the data set's mean colour
 * @param ranking values per patch, row by row
 * @param target embedding of the other modality
 * @param steps number of equal steps
 */
export async function removalCurves(
  model: DualEncoder,
  pixelValues: FloatTensor,
  grid: readonly [number, number],
  ranking: Float32Array,
  target: Float32Array,
  steps = 8,
): Promise<RemovalCurves> {
  const [channels, height, width] = pixelValues.shape;
  const order = [...ranking.keys()].sort((a, b) => ranking[b] - ranking[a] || a - b);
  const size = channels * height * width;
  const batch = new Float32Array(2 * (steps + 1) * size);
  for (let k = 0; k <= steps; k++) {
    const gone = new Set(order.slice(0, Math.round((k / steps) * order.length)));
    for (let i = 0; i < size; i++) {
      const y = Math.floor(i / width) % height;
      const x = i % width;
      const patch = Math.floor((y * grid[0]) / height) * grid[1] + Math.floor((x * grid[1]) / width);
      const at = gone.has(patch) ? 1 : 0;
      batch[(k + at * (steps + 1)) * size + i] = pixelValues.data[i];
    }
  }
  const features = await model.imageFeatures(floats([2 * (steps + 1), channels, height, width], batch));
  const dim = features.shape[1];
  const cosines = Array.from({ length: 2 * (steps + 1) }, (_, i) => cosine(features.data.subarray(i * dim, (i + 1) * dim), target));
  return { deletion: cosines.slice(0, steps + 1), insertion: cosines.slice(steps + 1) };
}

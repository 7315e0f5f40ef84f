/** @file Removal curves straight from pixels and a target vector, without the perturbation engine: for evidence scripts, and to check the engine. */
import type { DualEncoder } from '../../models/dual-encoder.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import type { Game } from '../game.ts';
import { cosine } from '../pair.ts';
import { type RemovalCurves, removalCurve } from './ranking.ts';

/**
 * The cosine while a picture's patches are there or not; patches that are not become 0, the data set's mean colour.
 * @param pixelValues one image [3, H, W] @param target embedding of the other modality
 */
export function pixelGame(model: DualEncoder, pixelValues: FloatTensor, grid: readonly [number, number], target: Float32Array): Game {
  const [channels, height, width] = pixelValues.shape;
  const n = grid[0] * grid[1];
  const size = channels * height * width;
  const patchOf = Uint32Array.from({ length: size }, (_, i) => {
    const [y, x] = [Math.floor(i / width) % height, i % width];
    return Math.floor((y * grid[0]) / height) * grid[1] + Math.floor((x * grid[1]) / width);
  });
  return {
    players: n,
    async values(coalitions) {
      const count = coalitions.length / n;
      const batch = new Float32Array(count * size);
      for (let m = 0; m < count; m++)
        for (let i = 0; i < size; i++) if (coalitions[m * n + patchOf[i]]) batch[m * size + i] = pixelValues.data[i];
      const features = await model.imageFeatures(floats([count, channels, height, width], batch));
      const dim = features.shape[1];
      return Float64Array.from({ length: count }, (_, m) => cosine(features.data.subarray(m * dim, (m + 1) * dim), target));
    },
  };
}

/** Both curves of a ranking of the patches. @param steps number of equal steps; the rest as in `pixelGame` */
export const removalCurves = (
  model: DualEncoder,
  pixelValues: FloatTensor,
  grid: readonly [number, number],
  ranking: Float32Array,
  target: Float32Array,
  steps = 8,
): Promise<RemovalCurves> => removalCurve(pixelGame(model, pixelValues, grid, target), ranking, steps);

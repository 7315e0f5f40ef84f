/**
 * @file ROAD (Rong et al., ICML 2022): removed pixels are imputed from their neighbours by a noisy linear system, so that the mask's shape tells
 * the model little; combined score (LeRF − MoRF)/2, averaged over the shares removed, as in pytorch-grad-cam.
 */
import { z } from 'zod';
import { upsampleBilinear } from '../../inputs/image/bilinear.ts';
import { RandomStream } from '../../tensor/random.ts';
import { floats } from '../../tensor/tensor.ts';
import type { MetricEntry } from './metric.ts';
import { descending, isConstant } from './ranking.ts';

type Options = { percentiles: number[]; noise: number; iterations: number };

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

/** Eight places and weights per removed pixel (weight 0 beyond the border), and the sum of the weights. */
function neighboursOf(gone: readonly number[], height: number, width: number) {
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
  return { at, weights, total };
}

/** One sweep over the removed pixels, each set to the weighted mean of its neighbours. */
function relax(
  plane: Float32Array,
  gone: readonly number[],
  { at, weights, total }: ReturnType<typeof neighboursOf>,
  backwards: boolean,
): void {
  const n = gone.length;
  for (let k = 0; k < n; k++) {
    // Back and forth, so that values travel in both directions.
    const g = backwards ? n - 1 - k : k;
    let value = 0;
    for (let j = g * 8; j < g * 8 + 8; j++) value += weights[j] * plane[at[j]];
    plane[gone[g]] = value / total[g];
  }
}

/**
 * Fills removed pixels with the weighted mean of their neighbours, solved together by Gauss–Seidel sweeps from the mean of what stays.
 * @param pixels [3, H, W] @param removed 1 where a pixel goes
 */
export function imputeLinear(
  pixels: Float32Array,
  [height, width]: readonly [number, number],
  removed: Uint8Array,
  iterations: number,
): Float32Array {
  const out = pixels.slice();
  const area = height * width;
  const gone: number[] = [];
  for (let i = 0; i < area; i++) if (removed[i]) gone.push(i);
  const neighbours = neighboursOf(gone, height, width);
  for (let c = 0; c < 3; c++) {
    const plane = out.subarray(c * area, (c + 1) * area);
    let [sum, count] = [0, 0];
    for (let i = 0; i < area; i++) if (!removed[i]) [sum, count] = [sum + plane[i], count + 1];
    for (const i of gone) plane[i] = count ? sum / count : 0;
    for (let sweep = 0; sweep < iterations; sweep++) relax(plane, gone, neighbours, sweep % 2 === 1);
  }
  return out;
}

/** NaN for a map of one value. */
export const road: MetricEntry<Options> = {
  name: 'road',
  title: 'ROAD',
  category: 'faithfulness',
  modalities: ['image'],
  direction: 'higher',
  unit: 'score',
  reading:
    'Half the difference between removing the least and the most relevant pixels, imputed from their neighbours: 0 for a random order.',
  source: 'Rong et al.: A consistent and efficient evaluation strategy for attribution methods, ICML 2022; pytorch-grad-cam ROADCombined',
  needs: ['pixels'],
  schema: z.strictObject({
    percentiles: z
      .array(z.number().gt(0).lt(100))
      .min(1)
      .default([20, 40, 60, 80])
      .describe('percent of the pixels removed (pytorch-grad-cam: 10 to 90)'),
    noise: z.number().nonnegative().default(0.01).describe('deviation of the noise on imputed pixels'),
    iterations: z.number().int().positive().default(30).describe('sweeps of the solver'),
  }),
  async evaluate(sample, { percentiles, noise, iterations }) {
    if (isConstant(sample.map)) return Number.NaN;
    const size = sample.size!;
    const area = size[0] * size[1];
    const order = descending(upsampleBilinear(sample.map, sample.grid!, size));
    const { data } = sample.pixels!;
    const random = new RandomStream(sample.key, 'metric.road');
    const batch = new Float32Array(2 * percentiles.length * data.length);
    const draws = random.normals(0, 0, new Float32Array(data.length));
    for (const [k, percent] of percentiles.entries()) {
      const count = Math.round((percent / 100) * area);
      for (const [side, chosen] of [order.slice(0, count), order.slice(area - count)].entries()) {
        const removed = new Uint8Array(area);
        for (const i of chosen) removed[i] = 1;
        const filled = imputeLinear(data, size, removed, iterations);
        for (let i = 0; i < filled.length; i++) if (removed[i % area]) filled[i] += noise * draws[i];
        batch.set(filled, (2 * k + side) * data.length);
      }
    }
    const values = await sample.scorePixels!(floats([2 * percentiles.length, 3, ...size], batch));
    let sum = 0;
    for (let k = 0; k < percentiles.length; k++) sum += (values[2 * k + 1] - values[2 * k]) / 2;
    return sum / percentiles.length;
  },
};

/**
 * @file ROAD (Rong et al., ICML 2022): removed pixels are imputed from their neighbours by a noisy linear system, so that the mask's shape tells
 * the model little; combined score (LeRF − MoRF)/2, averaged over the shares removed, as in pytorch-grad-cam.
 */
import { z } from 'zod';
import { upsampleBilinear } from '../../inputs/image/bilinear.ts';
import { RandomStream } from '../../tensor/random.ts';
import { floats } from '../../tensor/tensor.ts';
import { imputeLinear } from './impute.ts';
import type { MetricEntry } from './metric.ts';
import { descending, isConstant } from './ranking.ts';

type Options = { percentiles: number[]; noise: number; iterations: number };

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
    iterations: z.number().int().positive().default(40).describe('steps of the solver, at most'),
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

/** @file RISE's insertion and deletion pixel by pixel (Petsiuk et al., BMVC 2018): deletion to the mean colour, insertion into a blurred image. */
import { z } from 'zod';
import { gaussianBlur } from '../../attribution/perturbation/blur.ts';
import { chunks } from '../../attribution/rows.ts';
import { upsampleBilinear } from '../../inputs/image/bilinear.ts';
import { floats } from '../../tensor/tensor.ts';
import type { MetricEntry, MetricSample } from './metric.ts';
import { areaUnder, counts, descending, isConstant } from './ranking.ts';

/** Pictures that are held at once. */
const TOGETHER = 32;

type Options = { steps: number; sigma: number };

/** Scores along a curve on which the highest pixels turn from `from` into `to`, step by step. */
async function curve(sample: MetricSample, steps: number, from: Float32Array, to: Float32Array): Promise<number> {
  const [height, width] = sample.size!;
  const order = descending(upsampleBilinear(sample.map, sample.grid!, sample.size!));
  const area = height * width;
  const moved = counts(area, steps);
  const values: number[] = [];
  const now = from.slice();
  let done = 0;
  for (const [first, last] of chunks(moved.length, TOGETHER)) {
    const batch = new Float32Array((last - first) * from.length);
    for (let k = first; k < last; k++) {
      for (; done < moved[k]; done++) for (let c = 0; c < 3; c++) now[c * area + order[done]] = to[c * area + order[done]];
      batch.set(now, (k - first) * from.length);
    }
    values.push(...(await sample.scorePixels!(floats([last - first, 3, height, width], batch))));
  }
  return areaUnder(
    values,
    moved.map(count => count / area),
  );
}

const facts = {
  category: 'faithfulness',
  modalities: ['image'],
  needs: ['pixels'],
  unit: 'score',
  source: 'Petsiuk, Das, Saenko: RISE, BMVC 2018, section 4.2',
} as const;
const steps = z.number().int().min(2).default(16).describe('equal steps of pixels (RISE: one row of pixels each, 224)');

/** NaN for a map of one value. */
export const pixelDeletion: MetricEntry<{ steps: number }> = {
  ...facts,
  name: 'pixel-deletion',
  title: 'Deletion AUC, pixels',
  direction: 'lower',
  reading:
    'The score while the highest pixels become the mean colour; unlike whole patches, half-removed ones make pictures the model never saw.',
  schema: z.strictObject({ steps }),
  evaluate: (sample, options) =>
    isConstant(sample.map) ? Number.NaN : curve(sample, options.steps, sample.pixels!.data, new Float32Array(sample.pixels!.data.length)),
};

/** NaN for a map of one value. */
export const pixelInsertion: MetricEntry<Options> = {
  ...facts,
  name: 'pixel-insertion',
  title: 'Insertion AUC, pixels',
  direction: 'higher',
  reading: 'The score while the highest pixels come into a blurred copy of the image.',
  schema: z.strictObject({
    steps,
    sigma: z.number().positive().default(5).describe('standard deviation of the blur, pixels of the view'),
  }),
  evaluate(sample, options) {
    if (isConstant(sample.map)) return Number.NaN;
    const { shape, data } = sample.pixels!;
    const blurred = gaussianBlur(floats([1, ...shape], data), options.sigma);
    return curve(sample, options.steps, blurred.data, data);
  },
};

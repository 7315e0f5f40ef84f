/** @file Samples whose right answers are known by hand, for the tests of metrics. */

import { additiveGame } from '../../../attribution/game.ts';
import { floats } from '../../../tensor/tensor.ts';
import type { MetricSample } from '../metric.ts';
import { createMetric, findMetric } from '../registry.ts';

/** A caption of as many words as values, whose score is additive: the sum of the words' worth, and `offset`. */
export const wordsSample = (map: readonly number[], worth: readonly number[], offset = 0): MetricSample => ({
  modality: 'text',
  map: Float32Array.from(map),
  game: () => additiveGame(worth, offset),
  key: 7,
});

/** A picture of one row of patches with the same kind of game. */
export const patchesSample = (map: readonly number[], worth: readonly number[], offset = 0): MetricSample => ({
  ...wordsSample(map, worth, offset),
  modality: 'image',
  grid: [1, map.length],
});

/** A map with one value per pixel (so that nothing is smeared by enlarging) and its ground truth, both row by row. */
export const truthSample = (map: readonly number[], truth: readonly number[], size: readonly [number, number]): MetricSample => ({
  modality: 'image',
  map: Float32Array.from(map),
  grid: size,
  size,
  truth: Uint8Array.from(truth),
  key: 7,
});

/** A map with one value per pixel of a picture (three equal channels); the score of a picture is the sum of all its values. */
export const pixelsSample = (map: readonly number[], plane: readonly number[], size: readonly [number, number]): MetricSample => ({
  modality: 'image',
  map: Float32Array.from(map),
  grid: size,
  size,
  pixels: floats([3, ...size], [...plane, ...plane, ...plane]),
  async scorePixels({ shape, data }) {
    const each = data.length / shape[0];
    return Float64Array.from({ length: shape[0] }, (_, m) => data.subarray(m * each, (m + 1) * each).reduce((a, b) => a + b, 0));
  },
  key: 7,
});

/** The value that the metric of the registry called `name` gives. */
export async function judge(name: string, sample: MetricSample, options: Record<string, unknown> = {}): Promise<number> {
  return createMetric(findMetric(name)!, options).update(sample);
}

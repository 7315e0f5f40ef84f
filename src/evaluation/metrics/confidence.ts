/**
 * @file Drop and increase in confidence as M2IB's evaluation computes them, corrected: the normalised image times the soft min–max map (for
 * captions: only the words above the median), in cosine points × 100. The published script passed a map where a batch of maps is wanted, and
 * so masked with the map's first row; `officialFirstRow` does that too.
 */
import { z } from 'zod';
import { upsampleBilinear } from '../../inputs/image/bilinear.ts';
import { quantile } from '../../tensor/statistics/descriptive.ts';
import { floats } from '../../tensor/tensor.ts';
import type { MetricEntry, MetricSample } from './metric.ts';
import { gameOf } from './options.ts';
import { isConstant } from './ranking.ts';

type Options = { officialFirstRow: boolean };

/** Scores of the masked and of the whole input; undefined for a map of one value, which has no min–max and no median to be above. */
type Scores = Promise<readonly [number, number] | undefined>;

async function image(sample: MetricSample, options: Options): Scores {
  const { map, grid, size, pixels } = sample;
  if (isConstant(map)) return undefined;
  const [height, width] = size!;
  const up = upsampleBilinear(map, grid!, size!);
  const low = up.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = up.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const both = new Float32Array(2 * pixels!.data.length);
  for (let i = 0; i < pixels!.data.length; i++) {
    const at = options.officialFirstRow ? i % width : i % (height * width);
    both[i] = (pixels!.data[i] * (up[at] - low)) / (high - low);
    both[pixels!.data.length + i] = pixels!.data[i];
  }
  const [masked, whole] = await sample.scorePixels!(floats([2, ...pixels!.shape], both));
  return [masked, whole];
}

async function text(sample: MetricSample): Scores {
  const { map } = sample;
  if (isConstant(map)) return undefined;
  const median = quantile(map, 0.5);
  const rows = new Uint8Array(2 * map.length).fill(1, map.length);
  for (let i = 0; i < map.length; i++) rows[i] = map[i] > median ? 1 : 0;
  const [kept, whole] = await gameOf(sample, { removal: 'mean', textRemoval: 'mask' }).values(rows);
  return [kept, whole];
}

const drop = (scores: readonly [number, number] | undefined): number => (scores ? 100 * Math.max(0, scores[1] - scores[0]) : Number.NaN);
const increase = (scores: readonly [number, number] | undefined): number => (scores ? (scores[0] > scores[1] ? 100 : 0) : Number.NaN);

const schema = z.strictObject({
  officialFirstRow: z.boolean().default(false).describe("reproduce the published script: every row of the mask is the map's first row"),
});

const SOURCE = 'Wang, Rudner, Wilson: M2IB, NeurIPS 2023, section 5; pytorch-grad-cam DropInConfidence, IncreaseInConfidence';
const imageFacts = { category: 'paper', modalities: ['image'], needs: ['pixels'], source: SOURCE, schema } as const;
const textFacts = { category: 'paper', modalities: ['text'], needs: ['game'], source: SOURCE, schema: z.strictObject({}) } as const;

/** 100 · max(0, whole − masked). */
export const cosineDrop: MetricEntry<Options> = {
  ...imageFacts,
  name: 'cosine-drop',
  title: 'Confidence drop ×100 (M2IB)',
  direction: 'lower',
  unit: 'cosine × 100',
  reading: 'Cosine points × 100 that are lost when the image is multiplied by the map; a map that is bright everywhere loses nothing.',
  evaluate: async (sample, options) => drop(await image(sample, options)),
};

/** 100 where the masked input scores higher. */
export const cosineIncrease: MetricEntry<Options> = {
  ...imageFacts,
  name: 'cosine-increase',
  title: 'Confidence increase ×100 (M2IB)',
  direction: 'higher',
  unit: '% of pairs',
  reading: 'How often the cosine rises when the image is multiplied by the map.',
  evaluate: async (sample, options) => increase(await image(sample, options)),
};

/** The drop where only the words above the median stay (BOS and EOS always do; the published script strips them). */
export const textCosineDrop: MetricEntry = {
  ...textFacts,
  name: 'text-cosine-drop',
  title: 'Text confidence drop ×100 (M2IB)',
  direction: 'lower',
  unit: 'cosine × 100',
  reading: 'Cosine points × 100 that are lost when only the words above the median of the map stay.',
  evaluate: async sample => drop(await text(sample)),
};

/** 100 where only those words score higher. */
export const textCosineIncrease: MetricEntry = {
  ...textFacts,
  name: 'text-cosine-increase',
  title: 'Text confidence increase ×100 (M2IB)',
  direction: 'higher',
  unit: '% of pairs',
  reading: 'How often only the words above the median of the map score higher than the whole caption.',
  evaluate: async sample => increase(await text(sample)),
};

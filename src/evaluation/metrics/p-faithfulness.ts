/**
 * @file p-faithfulness (FIxLIP, NeurIPS 2025): how well the additive map predicts the game on random coalitions. Coalitions are drawn with
 * players there with probability p, so plain sums over them are the p-weighted ones.
 */
import { z } from 'zod';
import { type Removal, removalOptions } from '../../attribution/removal-options.ts';
import { mean, sum } from '../../tensor/statistics/descriptive.ts';
import { pearson, spearman } from '../../tensor/statistics/rank.ts';
import { bernoulliCoalitions, sumsOver } from './coalitions.ts';
import type { MetricEntry } from './metric.ts';
import { gameOf } from './options.ts';

type Options = Removal & { samples: number; p: number; measure: 'r2' | 'pearson' | 'spearman' | 'determination' };

/** 1 − Σ(v − v̂)² / Σ(v − mean v)², v̂ the sum over the coalition plus the offset that fits best; NaN for a game of one value. */
function determination(predicted: Float64Array, values: Float64Array): number {
  const offset = mean(values) - mean(predicted);
  const [left, all] = [values.map((v, m) => (v - predicted[m] - offset) ** 2), values.map(v => (v - mean(values)) ** 2)].map(sum);
  return all > 0 ? 1 - left / all : Number.NaN;
}

/** NaN where the map or the game has one value on all coalitions. */
export const pFaithfulness: MetricEntry<Options> = {
  name: 'p-faithfulness',
  title: 'p-faithfulness',
  category: 'faithfulness',
  modalities: ['image', 'text'],
  direction: 'higher',
  unit: 'correlation',
  reading:
    'Correlation between the sum of the map over a random set of patches or words and the score of that set: 1 when the map adds up to what the model does.',
  source: 'Baniecki et al.: FIxLIP, NeurIPS 2025, section on faithfulness; the best single number for CLIP',
  needs: ['game'],
  schema: z.strictObject({
    samples: z.number().int().min(8).default(128).describe('random coalitions'),
    p: z.number().gt(0).lt(1).default(0.5).describe('probability that a patch or word is there'),
    measure: z
      .enum(['r2', 'pearson', 'spearman', 'determination'])
      .default('pearson')
      .describe(
        "correlation; r2: its square, 0 where it is negative (the best linear fit's share of variance); spearman: of ranks; determination: R² of the map's own sums, for maps in units of the score",
      ),
    ...removalOptions,
  }),
  async evaluate(sample, options) {
    const game = gameOf(sample, options);
    const coalitions = bernoulliCoalitions(options.samples, game.players, options.p, sample.key, 'metric.p-faithfulness');
    const predicted = sumsOver(sample.map, coalitions);
    const values = await game.values(coalitions);
    if (options.measure === 'spearman') return spearman(predicted, values);
    if (options.measure === 'determination') return determination(predicted, values);
    const r = pearson(predicted, values);
    return options.measure === 'r2' ? Math.max(0, r) ** 2 : r;
  },
};

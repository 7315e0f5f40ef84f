/**
 * @file Infidelity (Yeh et al., NeurIPS 2019), for removals: E[(Σ_{i in S} a_i − (f(x) − f(x without S)))²]. With `scale: optimal` the map is first
 * multiplied by β = E[Σa · Δf] / E[(Σa)²], as captum's `normalize` does, so that only its shape counts.
 */
import { z } from 'zod';
import { endsOf } from '../../attribution/game.ts';
import { type Removal, removalOptions } from '../../attribution/removal-options.ts';
import { mean } from '../../tensor/statistics/descriptive.ts';
import { bernoulliCoalitions, complement, sumsOver } from './coalitions.ts';
import type { MetricEntry } from './metric.ts';
import { gameOf } from './options.ts';

type Options = Removal & { samples: number; p: number; scale: 'optimal' | 'none' };

/** Mean of (β·sum − fall)², β the best factor or 1. @param sums of the map over what each removal takes @param falls of the score */
export function squaredError(sums: ArrayLike<number>, falls: ArrayLike<number>, scale: Options['scale']): number {
  const squares = mean(Float64Array.from(sums, s => s * s));
  const beta = scale === 'none' ? 1 : squares > 0 ? mean(Float64Array.from(sums, (s, m) => s * falls[m])) / squares : 0;
  return mean(Float64Array.from(sums, (s, m) => (beta * s - falls[m]) ** 2));
}

/** 0 is perfect. A map of zeros has the infidelity of predicting no change. */
export const infidelity: MetricEntry<Options> = {
  name: 'infidelity',
  title: 'Infidelity',
  category: 'faithfulness',
  modalities: ['image', 'text'],
  direction: 'lower',
  unit: 'score²',
  reading: 'Mean squared error of the map as a prediction of what random removals take away; 0 is perfect.',
  source: 'Yeh et al.: On the (in)fidelity and sensitivity of explanations, NeurIPS 2019, definition 2.1; captum.metrics.infidelity',
  needs: ['game'],
  schema: z.strictObject({
    samples: z.number().int().min(2).default(64).describe('random removals'),
    p: z.number().gt(0).lt(1).default(0.25).describe('probability that a patch or word is removed'),
    scale: z.enum(['optimal', 'none']).default('optimal').describe('multiply the map by the factor that fits best, or take it as it is'),
    ...removalOptions,
  }),
  async evaluate(sample, options) {
    const game = gameOf(sample, options);
    const removed = bernoulliCoalitions(options.samples, game.players, options.p, sample.key, 'metric.infidelity');
    const { full } = await endsOf(game);
    const falls = (await game.values(complement(removed))).map(v => full - v);
    return squaredError(sumsOver(sample.map, removed), falls, options.scale);
  },
};

/** @file Stability over seeds: do two runs of the method rank the patches or words alike? */
import { z } from 'zod';
import { spearman } from '../../tensor/statistics/rank.ts';
import type { MetricEntry } from './metric.ts';
import { explainAgain } from './options.ts';

/** Mean pairwise Spearman correlation over seeds; comparisons leave out methods that do not sample; NaN where a map has one value. */
export const seedStability: MetricEntry<{ seeds: number }> = {
  name: 'seed-stability',
  title: 'Stability over seeds',
  category: 'robustness',
  modalities: ['image', 'text'],
  direction: 'higher',
  unit: 'rank correlation',
  reading: 'Rank correlation between maps of the same pair with different seeds; 1 is perfectly stable.',
  source: 'attribution by sampling: M2IB, RISE and others; Spearman 1904',
  needs: ['explain'],
  sampledOnly: true,
  schema: z.strictObject({ seeds: z.number().int().min(2).default(2).describe('runs that are compared with one another') }),
  async evaluate(sample, { seeds }) {
    const maps: Float32Array[] = [];
    for (let s = 0; s < seeds; s++) maps.push(await explainAgain(sample, { seed: 1000 + s }));
    let sum = 0;
    for (let a = 0; a < seeds; a++) for (let b = a + 1; b < seeds; b++) sum += spearman(maps[a], maps[b]);
    return sum / ((seeds * (seeds - 1)) / 2);
  },
};

/** @file Sensitivity-n (Ancona et al., ICLR 2018): the correlation between the map over subsets of n players and what their removal takes away. */
import { z } from 'zod';
import { type Removal, removalOptions } from '../../attribution/removal-options.ts';
import { pearson } from '../../tensor/statistics/rank.ts';
import { complement, subsets, sumsOver } from './coalitions.ts';
import type { MetricEntry } from './metric.ts';
import { gameOf } from './options.ts';

type Options = Removal & { samples: number; share: number };

/** NaN for a single player, or where the map or the game has one value on all subsets. */
export const sensitivityN: MetricEntry<Options> = {
  name: 'sensitivity-n',
  title: 'Sensitivity-n',
  category: 'faithfulness',
  modalities: ['image', 'text'],
  direction: 'higher',
  unit: 'correlation',
  reading: 'Correlation between the sum of the map over random subsets of one size and the fall of the score when the subset is removed.',
  source: 'Ancona et al.: Towards better understanding of gradient-based attribution methods, ICLR 2018, section 4',
  needs: ['game'],
  schema: z.strictObject({
    samples: z.number().int().min(8).default(64).describe('random subsets'),
    share: z.number().gt(0).lt(1).default(0.25).describe('size of a subset, as a share of the players'),
    ...removalOptions,
  }),
  async evaluate(sample, options) {
    const game = gameOf(sample, options);
    const n = game.players;
    if (n < 2) return Number.NaN;
    const size = Math.min(n - 1, Math.max(1, Math.round(options.share * n)));
    const chosen = subsets(options.samples, n, size, sample.key, 'metric.sensitivity-n');
    const left = await game.values(complement(chosen));
    // The full score shifts all falls alike, which a correlation does not see.
    return pearson(
      sumsOver(sample.map, chosen),
      left.map(v => -v),
    );
  },
};

/** @file SaCo (Wu et al., "On the faithfulness of vision transformer explanations", CVPR 2024): do groups of higher value weigh more? */
import { z } from 'zod';
import { endsOf } from '../../attribution/game.ts';
import { type Removal, removalOptions } from '../../attribution/removal-options.ts';
import type { MetricEntry } from './metric.ts';
import { gameOf } from './options.ts';
import { descending, isConstant } from './ranking.ts';

type Options = Removal & { groups: number };

/** From −1 to 1. NaN for a map of one value: no group is higher than another. */
export const saco: MetricEntry<Options> = {
  name: 'saco',
  title: 'SaCo',
  category: 'faithfulness',
  modalities: ['image', 'text'],
  direction: 'higher',
  unit: 'from −1 to 1',
  reading:
    'Agreement between how much more a group of patches is worth on the map and whether its removal takes more away; 0 for a random map.',
  source: 'Wu et al.: On the faithfulness of vision transformer explanations, CVPR 2024, algorithm 1',
  needs: ['game'],
  schema: z.strictObject({
    groups: z
      .number()
      .int()
      .min(2)
      .default(10)
      .describe('groups of equal size, from the highest to the lowest; at most one per patch or word'),
    ...removalOptions,
  }),
  async evaluate(sample, options) {
    if (isConstant(sample.map)) return Number.NaN;
    const game = gameOf(sample, options);
    const n = game.players;
    const order = descending(sample.map);
    const k = Math.min(options.groups, n);
    const rows = new Uint8Array(k * n).fill(1);
    const worth = new Float64Array(k);
    for (let g = 0; g < k; g++)
      for (let i = Math.round((g * n) / k); i < Math.round(((g + 1) * n) / k); i++) {
        rows[g * n + order[i]] = 0;
        worth[g] += sample.map[order[i]];
      }
    const { full } = await endsOf(game);
    const falls = (await game.values(rows)).map(v => full - v);
    let sum = 0;
    let total = 0;
    for (let i = 0; i < k; i++)
      for (let j = i + 1; j < k; j++) {
        const weight = worth[i] - worth[j];
        sum += falls[i] >= falls[j] ? weight : -weight;
        total += Math.abs(weight);
      }
    return total > 0 ? sum / total : Number.NaN;
  },
};

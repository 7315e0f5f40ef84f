/** @file Shapley values of patches and words, by antithetic permutations or by listing. */
import { z } from 'zod';
import type { MethodEntry } from '../method.ts';
import { shapley as estimate, permutationPairs } from '../perturbation/estimators/shapley.ts';
import { explainGames, perturbationShape } from '../perturbation/explain.ts';

const schema = z.strictObject({
  samples: z
    .number()
    .int()
    .min(2)
    .default(2048)
    .describe('coalitions; a permutation takes one per player; all are listed where there are no more'),
  ...perturbationShape,
});

/** Shapley values of patches and words. */
export const shapley: MethodEntry<z.infer<typeof schema>> = {
  name: 'shapley',
  title: 'Shapley values',
  family: 'perturbation',
  serves: 'pair',
  answers: { by: 'sides' },
  modalities: ['image', 'text'],
  schema,
  cost: 'samples × F',
  paper: 'Mitchell, Cooper, Frank, Holmes: Sampling permutations for Shapley value estimation, JMLR 23, 2022, arXiv 2104.12199',
  unit: 'score',
  signed: true,
  sampled: true,
  explain: (run, options) =>
    explainGames(
      run,
      'shapley',
      options,
      n => (2 ** n <= options.samples ? 2 ** n : 2 + permutationPairs(options.samples, n) * 2 * (n - 1)),
      game => estimate(game, { samples: options.samples, seed: run.seed }),
    ),
};

/** @file First-order Banzhaf values of patches and words. */
import { z } from 'zod';
import type { MethodEntry } from '../method.ts';
import { banzhaf as estimate } from '../perturbation/estimators/banzhaf.ts';
import { explainGames, perturbationShape } from '../perturbation/explain.ts';

const schema = z.strictObject({
  samples: z.number().int().min(4).default(1024).describe('coalitions; all are listed where there are no more'),
  p: z.number().gt(0).lt(1).default(0.5).describe('probability that another patch or word is there'),
  estimator: z
    .enum(['least-squares', 'reuse'])
    .default('least-squares')
    .describe('regression on the coalitions, or difference of means over all of them (maximum sample reuse)'),
  ...perturbationShape,
});

/** Banzhaf values of patches and words. */
export const banzhaf: MethodEntry<z.infer<typeof schema>> = {
  name: 'banzhaf',
  title: 'Banzhaf values',
  family: 'perturbation',
  serves: 'pair',
  answers: { by: 'sides' },
  modalities: ['image', 'text'],
  schema,
  cost: 'samples × F',
  paper: 'Wang, Jia: Data Banzhaf, AISTATS 2023, arXiv 2205.15466',
  unit: 'score',
  signed: true,
  sampled: true,
  explain: (run, options) =>
    explainGames(
      run,
      'banzhaf',
      options,
      n => Math.min(options.samples + 2, 2 ** n),
      game => estimate(game, { ...options, seed: run.seed }),
    ),
};

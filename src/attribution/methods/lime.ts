/** @file LIME (Ribeiro, Singh, Guestrin, KDD 2016) on patches and words. */
import { z } from 'zod';
import type { MethodEntry } from '../method.ts';
import { lime as estimate } from '../perturbation/estimators/lime.ts';
import { explainGames, perturbationShape } from '../perturbation/explain.ts';

const schema = z.strictObject({
  samples: z.number().int().min(2).default(1000).describe('coalitions, the whole input among them'),
  kernelWidth: z.number().positive().default(0.25).describe('w of the kernel exp(−d²/w²) over cosine distances d to the whole input'),
  ridge: z.number().nonnegative().default(1).describe('weight of the squared coefficients in the regression'),
  ...perturbationShape,
});

/** LIME: a weighted linear model of random coalitions of patches or words. */
export const lime: MethodEntry<z.infer<typeof schema>> = {
  name: 'lime',
  title: 'LIME',
  family: 'perturbation',
  serves: 'pair',
  answers: { by: 'sides' },
  modalities: ['image', 'text'],
  schema,
  cost: 'samples × F',
  paper: 'Ribeiro, Singh, Guestrin: "Why should I trust you?", KDD 2016, arXiv 1602.04938',
  unit: 'score',
  signed: true,
  sampled: true,
  explain: (run, options) =>
    explainGames(
      run,
      'lime',
      options,
      () => options.samples,
      game => estimate(game, { ...options, seed: run.seed }),
    ),
};

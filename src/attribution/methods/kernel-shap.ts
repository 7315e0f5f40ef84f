/** @file KernelSHAP (Lundberg and Lee, NeurIPS 2017) on patches and words. */
import { z } from 'zod';
import type { MethodEntry } from '../method.ts';
import { kernelShap as estimate } from '../perturbation/estimators/kernel-shap.ts';
import { explainGames, perturbationShape } from '../perturbation/explain.ts';

const schema = z.strictObject({
  samples: z
    .union([z.literal('auto'), z.number().int().min(6)])
    .default('auto')
    .describe("coalitions; auto: 2 × players + 2048, as the authors' shap; all are listed where there are no more"),
  ...perturbationShape,
});

/** KernelSHAP: Shapley values by weighted least squares over coalitions. */
export const kernelShap: MethodEntry<z.infer<typeof schema>> = {
  name: 'kernel-shap',
  title: 'KernelSHAP',
  family: 'perturbation',
  serves: 'pair',
  answers: { by: 'sides' },
  modalities: ['image', 'text'],
  schema,
  cost: 'samples × F',
  paper: 'Lundberg, Lee: A unified approach to interpreting model predictions, NeurIPS 2017, arXiv 1705.07874',
  unit: 'score',
  signed: true,
  sampled: true,
  explain(run, options) {
    const samples = (n: number): number => (options.samples === 'auto' ? 2 * n + 2048 : options.samples);
    return explainGames(
      run,
      'kernel-shap',
      options,
      n => Math.min(samples(n), 2 ** n + 2),
      game => estimate(game, { samples: samples(game.players), seed: run.seed }),
    );
  },
};

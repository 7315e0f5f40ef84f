/**
 * @file Banzhaf values from a small budget, guided by layer integrated gradients: the gradient map says roughly which patches matter, a hundred
 * or so masked pictures say how wrong it is. See perturbation/estimators/guided.ts.
 */
import { z } from 'zod';
import { resolveLayer } from '../layer.ts';
import type { MethodEntry } from '../method.ts';
import { guidedBanzhaf as estimate } from '../perturbation/estimators/guided.ts';
import { explainGames, perturbationShape } from '../perturbation/explain.ts';
import { layerGradients } from './layer-integrated-gradients.ts';

const schema = z.strictObject({
  samples: z.number().int().min(8).default(128).describe('coalitions; all are listed where there are no more'),
  p: z.number().gt(0).lt(1).default(0.5).describe('probability that another patch or word is there'),
  nSteps: z.number().int().positive().default(10).describe('points of the path of the guide, layer integrated gradients'),
  ...perturbationShape,
});
type Options = z.infer<typeof schema>;

/** Guided Banzhaf values: a gradient map corrected by a small number of masked inputs. */
export const guidedBanzhaf: MethodEntry<Options> = {
  name: 'guided-banzhaf',
  title: 'Guided Banzhaf values',
  family: 'perturbation',
  serves: 'pair',
  modalities: ['image', 'text'],
  schema,
  cost: 'samples × F + (nSteps + 1) × (F + B) of the blocks above the layer',
  paper:
    'Narrows: a ridge of coalition values (Banzhaf values as a regression, Hammer and Holzman 1992) towards a gradient map, the weight by leave-one-out',
  unit: 'score',
  signed: true,
  sampled: true,
  layers: model => ({ image: resolveLayer('auto', model.image), text: resolveLayer('auto', model.text) }),
  async explain(run, options) {
    const guide = await layerGradients(run, options.nSteps);
    return explainGames(
      run,
      'guided-banzhaf',
      options,
      n => Math.min(options.samples + 2, 2 ** n),
      (game, { p, job, players }) => {
        const { tokens } = guide[job.modality]![p];
        const values = players.map(player =>
          player.reduce((sum, token) => sum + tokens[token + (job.modality === 'image' ? job.tower.prefixTokens : 0)], 0),
        );
        return estimate(game, values, { ...options, seed: run.seed });
      },
    );
  },
};

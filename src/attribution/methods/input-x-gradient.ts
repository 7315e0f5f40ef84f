/** @file Input × gradient: the first-order share of each input in the target (Shrikumar et al., 2016, arXiv 1605.01713). */
import { z } from 'zod';
import { eachTower, type MethodEntry } from '../method.ts';
import { sourceMap } from '../primitives/read-out.ts';
import { row } from '../rows.ts';
import { sourceGradients } from './saliency.ts';

const schema = z.strictObject({});

/** Input × gradient. */
export const inputXGradient: MethodEntry<z.infer<typeof schema>> = {
  name: 'input-x-gradient',
  title: 'Input × gradient',
  family: 'gradient',
  serves: 'pair',
  answers: { by: 'row' },
  modalities: ['image', 'text'],
  schema,
  cost: 'F + B',
  paper: 'Shrikumar, Greenside, Shcherbina, Kundaje: Not just a black box, 2016, arXiv 1605.01713',
  unit: 'score',
  signed: true,
  sampled: false,
  async explain(run) {
    run.plan(run.wanted.length * run.encoded.pairs.length);
    return eachTower(run, async job => {
      const { source, gradients } = await sourceGradients(run, job);
      const product = gradients.data.map((g, i) => g * source.data[i]);
      return job.scores.map((_, p) => sourceMap(job, row({ ...gradients, data: product }, p)));
    });
  },
};

/** @file Integrated gradients at the input: pixels, or token embeddings (Sundararajan, Taly, Yan, ICML 2017, arXiv 1703.01365). */

import { z } from 'zod';
import { eachTower, type MethodEntry } from '../method.ts';
import { baselineInputs, IMAGE_BASELINES } from '../primitives/baselines.ts';
import { integratePath, pathPoints } from '../primitives/path.ts';
import { sourceOf, stateOf } from '../primitives/point-gradients.ts';
import { quadrature, quadratureOptions } from '../primitives/quadrature.ts';
import { sourceMap } from '../primitives/read-out.ts';
import { row } from '../rows.ts';
import { explainHiddenPath } from './layer-integrated-gradients.ts';

const schema = z.strictObject({
  ...quadratureOptions(50),
  baseline: z
    .enum(IMAGE_BASELINES)
    .default('mean')
    .describe("where an image's path begins: mean colour, black, or the blurred picture; captions begin at BOS, padding, EOS"),
});

/** Integrated gradients at the pixels or token embeddings. */
export const integratedGradients: MethodEntry<z.infer<typeof schema>> = {
  name: 'integrated-gradients',
  title: 'Integrated gradients',
  family: 'gradient',
  serves: 'pair',
  answers: {
    by: 'row',
    unsupported: ({ baseline }) =>
      baseline === 'mean' ? undefined : 'Paths of an answer begin at the mean colour and a question of fillers; leave --baseline out.',
    explain: (run, { rule, nSteps }) => explainHiddenPath(run, { rule, nSteps, layer: -1, textLayer: -1, baseline: 'input' }),
  },
  modalities: ['image', 'text'],
  schema,
  cost: '(nSteps + 1) × (F + B)',
  paper: 'Sundararajan, Taly, Yan: Axiomatic attribution for deep networks, ICML 2017, arXiv 1703.01365',
  unit: 'score',
  signed: true,
  sampled: false,
  async explain(run, options) {
    const rule = quadrature(options.rule, options.nSteps);
    run.plan(run.wanted.length * run.encoded.pairs.length * pathPoints(rule));
    return eachTower(run, async job => {
      const source = await stateOf(run, job, 'source');
      const baseline = await sourceOf(run, job, await baselineInputs(run.model, job, options.baseline));
      const { values, deltas } = await integratePath(run, job, 'source', source, baseline, rule);
      return deltas.map((convergenceDelta, p) => ({ ...sourceMap(job, row(values, p)), convergenceDelta }));
    });
  },
};

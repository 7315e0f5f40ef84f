/**
 * @file Integrated gradients at a hidden state, times the state's distance from its baseline, summed over channels: layer integrated
 * gradients (captum's name) and NIB, which is the same with a right Riemann sum (arXiv 2502.14889).
 */

import { z } from 'zod';
import { answerLayer } from '../answers/answer-layer.ts';
import { resolveLayer } from '../layer.ts';
import { eachTower, type MethodEntry, type MethodMaps, type MethodRun } from '../method.ts';
import { HIDDEN_BASELINES, type HiddenBaseline, hiddenBaseline } from '../primitives/baselines.ts';
import { integratePath, pathPoints } from '../primitives/path.ts';
import { type QuadratureRule, quadrature, quadratureOptions } from '../primitives/quadrature.ts';
import { tokenValues } from '../primitives/read-out.ts';
import { row } from '../rows.ts';

const layer = z.union([z.literal('auto'), z.number().int()]);

/** Options of both. @param steps default number of points; @param rule default quadrature; @param baseline default baseline; @param auto what `layer: auto` means */
export const hiddenPathSchema = (steps: number, rule: QuadratureRule, baseline: HiddenBaseline, auto: string) =>
  z.strictObject({
    layer: layer
      .default('auto')
      .describe(`block of the image tower at whose output the path runs, from 0, -1 for the embeddings; auto: ${auto}`),
    textLayer: layer.default('auto').describe('the same for the text tower'),
    ...quadratureOptions(steps, rule),
    baseline: z
      .enum(HIDDEN_BASELINES)
      .default(baseline)
      .describe(
        "where the path begins: the state of a baseline input (mean colour; BOS, padding, EOS), zeros, or the mean of the pair's own tokens everywhere",
      ),
  });
/** Options with their defaults filled in. */
export type HiddenPathOptions = z.infer<ReturnType<typeof hiddenPathSchema>>;

/** The maps of both methods: every token, prefix and special ones too. */
export async function explainHiddenPath(run: MethodRun, options: HiddenPathOptions): Promise<MethodMaps> {
  const rule = quadrature(options.rule, options.nSteps);
  run.plan(run.wanted.length * run.encoded.pairs.length * pathPoints(rule));
  return eachTower(run, async job => {
    const baseline = await hiddenBaseline(job, options.baseline, run.model);
    if (options.baseline === 'input') run.passes(job.modality, job.modality === 'image' ? 1 : job.scores.length, job.tower.layers);
    const { values, deltas } = await integratePath(run, job, 'hidden', job.hidden, baseline, rule);
    await run.closeGraphs?.();
    return deltas.map((convergenceDelta, p) => ({ tokens: tokenValues(row(values, p), job.tokens), convergenceDelta }));
  });
}

const schema = hiddenPathSchema(20, 'gauss-legendre', 'input', 'two blocks are left above, as in M2IB');

/** The maps at the run's own layers with the defaults but for the number of points: the guide of methods that build on them. */
export const layerGradients = (run: MethodRun, nSteps: number): Promise<MethodMaps> => explainHiddenPath(run, schema.parse({ nSteps }));

/** Layer integrated gradients (captum's name): along the path from a baseline to the hidden state. */
export const layerIntegratedGradients: MethodEntry<HiddenPathOptions> = {
  name: 'layer-integrated-gradients',
  title: 'Layer integrated gradients',
  family: 'layer-gradient',
  serves: 'pair',
  answers: { by: 'row', layer: (tower, { layer }) => answerLayer(layer, tower) },
  modalities: ['image', 'text'],
  schema,
  cost: '(nSteps + 1) × (F + B) of the blocks above the layer',
  paper: 'Sundararajan, Taly, Yan: Axiomatic attribution for deep networks, ICML 2017, arXiv 1703.01365; at a layer as in captum',
  unit: 'score',
  signed: true,
  sampled: false,
  layers: (model, options) => ({
    image: resolveLayer(options.layer, model.image),
    text: resolveLayer(options.textLayer, model.text),
  }),
  explain: explainHiddenPath,
};

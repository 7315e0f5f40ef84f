/**
 * @file CoIBA (Hong et al., "Comprehensive information bottleneck", CVPR 2025): one λ per token, shared by several layers. The gate stands on
 * the chosen block's output and on every block's above it but the last; the mean of the places' costs, with the undisturbed states, stands for
 * the bound on what passes. Its code is not public: this is written from the idea.
 */

import { z } from 'zod';
import { compile, input, type Value } from '../../graph/index.ts';
import { graphKey } from '../../models/graph-key.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { resolveLayer } from '../layer.ts';
import { eachTower, type MethodEntry, type MethodRun, type TowerJob } from '../method.ts';
import { parseOptions } from '../options.ts';
import { explainByGate, GATE_PASSES, planGates } from '../primitives/gate.ts';
import { m2ibSchema, withSettle } from './m2ib.ts';

const schema = m2ibSchema.omit({ alpha: true, compat: true, normalisation: true }).extend({
  layer: z
    .union([z.literal('auto'), z.number().int()])
    .default('auto')
    .describe('first block of the image tower whose output is gated; auto: half way up'),
  textLayer: z
    .union([z.literal('auto'), z.number().int()])
    .default('auto')
    .describe('the same for the text tower; -1 and auto: its embeddings'),
});
type Options = z.infer<typeof schema>;

/** Undisturbed outputs of the blocks above the job's layer but the last, by block. */
async function upperStates(run: MethodRun, job: TowerJob): Promise<{ layer: number; hidden: FloatTensor }[]> {
  const { tower, layer, hidden, modality } = job;
  const above = Array.from({ length: Math.max(0, tower.layers - 2 - layer) }, (_, i) => layer + 1 + i);
  if (above.length === 0) return [];
  const [, tokens, width] = hidden.shape;
  const graph = await run.keep(graphKey('upper states', { ...job, target: undefined }), () => {
    const state = input('hidden', ['batch', modality === 'text' ? 'seq' : tokens, width]);
    const { blocks } = tower.trace(layer, state, 1, job.inputs);
    return compile(run.model.runtime, Object.fromEntries(above.map((at, i): [string, Value] => [`block${at}`, blocks[i].hidden])));
  });
  const out = await graph.run({ ...tower.suffixFeeds(job.inputs), hidden });
  run.passes(modality, hidden.shape[0], above.length);
  return above.map(at => ({ layer: at, hidden: floats(hidden.shape, (out[`block${at}`] as FloatTensor).data) }));
}

/** CoIBA: one λ per token, shared by the gates of several layers. */
export const coiba: MethodEntry<Options> = {
  name: 'coiba',
  title: 'CoIBA',
  family: 'bottleneck',
  serves: 'pair',
  modalities: ['image', 'text'],
  schema,
  parse: given => parseOptions(schema, withSettle(given, schema), 'coiba'),
  cost: `(${GATE_PASSES}) × (F + B) of the blocks above the first gate`,
  paper:
    'Hong, Bae, Hong, Kim: Comprehensive information bottleneck for unveiling universal attribution to interpret vision transformers, CVPR 2025',
  unit: 'nats',
  signed: false,
  sampled: true,
  layers: (model, options) => ({
    image: resolveLayer(options.layer === 'auto' ? Math.max(-1, Math.ceil(model.image.layers / 2) - 2) : options.layer, model.image),
    text: resolveLayer(options.textLayer === 'auto' ? -1 : options.textLayer, model.text),
  }),
  async explain(run, options) {
    planGates(run, options);
    return eachTower(run, async job => {
      const beta = job.modality === 'image' ? options.beta : options.textBeta;
      const settings = { ...options, beta, normalisation: 'sample', perToken: true, official: false } as const;
      return explainByGate(run, job, settings, { upper: await upperStates(run, job) });
    });
  },
};

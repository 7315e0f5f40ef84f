/**
 * @file A fusion: layer integrated gradients, weighted by how much of each token the M2IB gate had to keep. The gradients say which way a token
 * pulls and by how much, the gate's nats say whether the match needs it: map = g · (nats / largest nats)^power. Both at the same block.
 */

import { z } from 'zod';
import { answerLayer } from '../answers/answer-layer.ts';
import { resolveLayer } from '../layer.ts';
import { eachTower, type MethodEntry, type TokenMap } from '../method.ts';
import { explainByGate, GATE_PASSES, planGates } from '../primitives/gate.ts';
import { layerGradients } from './layer-integrated-gradients.ts';
import { m2ibSchema } from './m2ib.ts';

const schema = m2ibSchema
  .pick({
    beta: true,
    textBeta: true,
    steps: true,
    learningRate: true,
    learningRateSchedule: true,
    quietSteps: true,
    batchSize: true,
    variance: true,
  })
  .extend({
    power: z
      .number()
      .positive()
      .default(0.5)
      .describe('power of the share of nats: 0 would leave the gradients as they are, 1 weighs them fully'),
    nSteps: z.number().int().positive().default(10).describe('points of the path of the gradients'),
  });
type Options = z.infer<typeof schema>;

/** One map from both. Special and prefix tokens are weighed like the others, but do not set the scale. */
export function weigh(gradients: Float32Array, nats: Float32Array, players: readonly number[], power: number): Float32Array {
  const largest = players.reduce((most, i) => Math.max(most, nats[i]), 0);
  if (!(largest > 0)) return gradients.slice();
  return gradients.map((g, i) => g * Math.min(1, Math.max(0, nats[i]) / largest) ** power);
}

/** Gated gradients, the recommended method: layer integrated gradients times the square root of the gate's share of nats. */
export const gatedGradients: MethodEntry<Options> = {
  name: 'gated-gradients',
  title: 'Gated gradients',
  family: 'bottleneck',
  serves: 'pair',
  answers: { by: 'row', layer: tower => answerLayer('auto', tower) },
  modalities: ['image', 'text'],
  schema,
  cost: `(${GATE_PASSES} + nSteps + 1) × (F + B) of the blocks above the layer`,
  paper: 'Narrows: layer integrated gradients (ICML 2017) weighted by the cost of the M2IB gate (NeurIPS 2023); measured in docs/evidence',
  unit: 'score',
  signed: true,
  sampled: true,
  layers: model => ({ image: resolveLayer('auto', model.image), text: -1 }),
  async explain(run, options) {
    const gradients = await layerGradients(run, options.nSteps);
    planGates(run, options);
    return eachTower(run, async job => {
      // The one gate of an answer stands on picture and words.
      const beta = job.modality === 'image' || job.kinds ? options.beta : options.textBeta;
      const settings = {
        ...options,
        beta,
        normalisation: 'sample',
        antithetic: true,
        perToken: false,
        official: false,
      } as const;
      const shown = (nats: Float32Array, p: number): Float32Array =>
        weigh(gradients[job.modality]![p].tokens, nats, job.players[p], options.power);
      const gates = await explainByGate(run, job, settings, { shown });
      return gates.map((gate, p): TokenMap => ({ tokens: shown(gate.tokens, p), curves: gate.curves }));
    });
  },
};

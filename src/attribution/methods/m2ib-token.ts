/**
 * @file M2IB with one gate per token in place of one per token and channel: N parameters instead of N·D, so ten noisy steps vote on fewer
 * questions, and outlier channels cannot carry a map by themselves.
 */
import type { z } from 'zod';
import { answerLayer } from '../answers/answer-layer.ts';
import { eachTower, type MethodEntry } from '../method.ts';
import { parseOptions } from '../options.ts';
import { explainByGate, GATE_COST, gateLayers, planGates } from '../primitives/gate.ts';
import { m2ibSchema, withSettle } from './m2ib.ts';

const schema = m2ibSchema.omit({ alpha: true, compat: true, normalisation: true });
type Options = z.infer<typeof schema>;

/** M2IB with one gate per token. */
export const m2ibToken: MethodEntry<Options> = {
  name: 'm2ib-token',
  title: 'M2IB, a gate per token',
  family: 'bottleneck',
  serves: 'pair',
  answers: {
    by: 'row',
    gate: true,
    layer: (tower, { layer }) => answerLayer(layer, tower),
    async explain(run, options) {
      planGates(run, options);
      return eachTower(run, job => explainByGate(run, job, { ...options, normalisation: 'sample', perToken: true, official: false }));
    },
  },
  modalities: ['image', 'text'],
  schema,
  parse: given => parseOptions(schema, withSettle(given, schema), 'm2ib-token'),
  cost: GATE_COST,
  paper: 'M2IB (arXiv 2312.17174) with the per-token gate that its per-element one is often replaced by; features normalised per channel',
  unit: 'nats',
  signed: false,
  sampled: true,
  layers: gateLayers,
  async explain(run, options) {
    planGates(run, options);
    return eachTower(run, job => {
      const beta = job.modality === 'image' ? options.beta : options.textBeta;
      return explainByGate(run, job, { ...options, beta, normalisation: 'sample', perToken: true, official: false });
    });
  },
};

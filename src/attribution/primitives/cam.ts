/**
 * @file Class activation maps of a transformer: activations A and the target's gradient G behind a norm, [N, D], weighed against each other.
 */

import { z } from 'zod';
import { compile, grad, input, squeeze, sum } from '../../graph/index.ts';
import type { Tower } from '../../models/dual-encoder.ts';
import { graphKey } from '../../models/graph-key.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { answerLayer } from '../answers/answer-layer.ts';
import { lastLayer, resolveLayer } from '../layer.ts';
import { rowsThatFit } from '../memory.ts';
import { eachTower, type MethodEntry, type TowerJob } from '../method.ts';
import { chunks, inputRows, row, rows } from '../rows.ts';
import { targetFeeds, targetScore } from '../target.ts';
import type { GradientRun } from './point-gradients.ts';

const layer = z.union([z.literal('auto'), z.number().int()]);

/** Options of the whole family. */
export const camSchema = z.strictObject({
  layer: layer
    .default('auto')
    .describe(
      'block of the image tower whose output, as the next block normalises it, is looked at, from 0, -1 for the embeddings; auto: the last but one; the last where a head attends over all tokens',
    ),
  textLayer: layer.default('auto').describe('the same for the text tower'),
  relu: z.boolean().default(false).describe('as published: negative values become 0; by default signs are kept'),
});
/** Options with their defaults filled in. */
export type CamOptions = z.infer<typeof camSchema>;

/** Activations and gradients of one pair, [N, D]. */
export interface CamState {
  readonly activations: Float32Array;
  readonly gradients: Float32Array;
  readonly tokens: number;
  readonly width: number;
  /** Tokens over which a method averages: patches, or the caption's own tokens. */
  readonly players: readonly number[];
}

/** How a method weighs activations, as one weight per token and channel: map_n = Σ_d weight(n, d) · A_nd. */
export type CamWeights = (state: CamState) => (n: number, d: number) => number;

/** Activations and gradients in front of the attention of block `job.layer + 1` (behind the last block: of the head), [P, N, D] each. */
export async function camGradients(run: GradientRun, job: TowerJob): Promise<{ activations: FloatTensor; gradients: FloatTensor }> {
  const { tower, modality, target, hidden } = job;
  const [pairs, tokens, width] = hidden.shape;
  const blocks = tower.layers - 1 - job.layer;
  const shape = ['batch', modality === 'text' ? 'seq' : tokens, width];
  const graph = await run.keep(graphKey('cam', job), () => {
    const { blocks: traced, features, poolInput } = tower.trace(job.layer, input('hidden', shape), 1, job.inputs);
    const activations = traced[0]?.normed ?? poolInput!;
    const [gradients] = grad(sum(squeeze(targetScore(features, 1, target), 1)), [activations]);
    return compile(run.model.runtime, { activations, gradients });
  });
  const out = { activations: floats(hidden.shape, new Float32Array(hidden.data.length)), gradients: new Float32Array(hidden.data.length) };
  for (const range of chunks(pairs, rowsThatFit(run.maxMemory, tower, tokens, blocks, true))) {
    const feeds = { ...tower.suffixFeeds(inputRows(job.inputs, range)), ...targetFeeds(target, range), hidden: rows(hidden, range) };
    const ran = await graph.run(feeds);
    const at = range[0] * tokens * width;
    out.activations.data.set(ran.activations.data as Float32Array, at);
    out.gradients.set(ran.gradients.data as Float32Array, at);
    run.passes(modality, range[1] - range[0], blocks, blocks);
    run.advance(range[1] - range[0]);
  }
  return { activations: out.activations, gradients: floats(hidden.shape, out.gradients) };
}

/** One pair's map over all tokens, [N], signs kept. */
export function camMap(state: CamState, weights: CamWeights): Float32Array {
  const weight = weights(state);
  const { activations, tokens, width } = state;
  return Float32Array.from({ length: tokens }, (_, n) => {
    let total = 0;
    for (let d = 0; d < width; d++) total += weight(n, d) * activations[n * width + d];
    return total;
  });
}

/** What a method sees of pair p. */
export const camState = (job: TowerJob, p: number, activations: FloatTensor, gradients: FloatTensor): CamState => ({
  activations: row(activations, p),
  gradients: row(gradients, p),
  tokens: job.tokens,
  width: activations.shape[2],
  players: job.players[p],
});

/** One weight per channel, from a sum over the players. */
export function perChannel(
  state: CamState,
  weigh: (d: number, values: readonly { a: number; g: number }[]) => number,
): (n: number, d: number) => number {
  const { activations, gradients, width, players } = state;
  const weights = Float64Array.from({ length: width }, (_, d) =>
    weigh(
      d,
      players.map(n => ({ a: activations[n * width + d], g: gradients[n * width + d] })),
    ),
  );
  return (_, d) => weights[d];
}

/**
 * Where to look. CLIP reads only the pooled token after its last block, where no other token has a gradient: the place is the norm in front
 * of that block's attention (HF `layer_norm1`). A head that attends over all tokens (SigLIP) reads every token behind the tower's last norm:
 * that is the place there, not the block's output, at which Σ G·A is zero for every token, since a norm undoes any scaling. Else any layer.
 * @throws NarrowsError naming the range
 */
const camLayer = (given: number | 'auto', tower: Tower): number => resolveLayer(given === 'auto' ? lastLayer(tower) : given, tower);

/** An entry of the family. */
export const camEntry = (method: { name: string; title: string; paper: string; weights: CamWeights }): MethodEntry<CamOptions> => ({
  name: method.name,
  title: method.title,
  family: 'layer-gradient',
  serves: 'pair',
  answers: { by: 'row', layer: (tower, { layer }) => answerLayer(layer, tower) },
  modalities: ['image', 'text'],
  schema: camSchema,
  cost: 'F + B of the blocks above the layer (one by default)',
  paper: method.paper,
  unit: 'score',
  signed: true,
  sampled: false,
  layers: (model, options) => ({ image: camLayer(options.layer, model.image), text: camLayer(options.textLayer, model.text) }),
  async explain(run, options) {
    run.plan(run.wanted.length * run.encoded.pairs.length);
    return eachTower(run, async job => {
      const { activations, gradients } = await camGradients(run, job);
      return job.scores.map((_, p) => {
        // Padding has activations, but no value.
        const map = camMap(camState(job, p, activations, gradients), method.weights).fill(0, job.lengths[p]);
        return { tokens: options.relu ? map.map(v => Math.max(0, v)) : map };
      });
    });
  },
});

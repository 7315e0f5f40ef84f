/**
 * @file Grad-ECLIP: values of the tokens weighted by the gradient at the pooled token's attention output, times a loosened attention
 * (similarity of queries and keys). Two forms: on the model's own heads, and as published, with the heads merged into one.
 */
import { z } from 'zod';
import {
  add,
  div,
  equal,
  less,
  matmul,
  max,
  maximum,
  mul,
  neg,
  normalise,
  relu,
  reshape,
  softmax,
  squeeze,
  sub,
  sum,
  transpose,
  type Value,
  where,
} from '../../graph/index.ts';
import type { Tower } from '../../models/dual-encoder.ts';
import type { BlockTrace } from '../../nn/encoder.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import type { MethodEntry, TowerJob } from '../method.ts';
import { type AttentionGraph, explainByAttention } from '../primitives/attention.ts';
import { blockCount, lastBlocks } from '../primitives/blocks.ts';
import { rows } from '../rows.ts';

const schema = z.strictObject({
  form: z
    .enum(['multi-head', 'published'])
    .default('multi-head')
    .describe("multi-head: of the model itself; published: its heads merged into one, which is another network than the model's"),
  ksim: z.boolean().default(true).describe('weight tokens by how alike their keys and the pooled query are (not where a head pools)'),
  blocks: blockCount.default('auto').describe('last blocks of the image tower that are summed; auto: 1, as published'),
  textBlocks: blockCount.default('auto').describe('the same for the text tower; auto: two thirds, 8 of 12 as published'),
});
type Options = z.infer<typeof schema>;

function count(tower: Tower, { blocks, textBlocks }: Options): number {
  // The pooling head is the last attention: no block is needed.
  if (tower.pooling === 'attention') return 0;
  return tower.modality === 'image' ? lastBlocks(blocks, 1, tower) : lastBlocks(textBlocks, Math.ceil((tower.layers * 2) / 3), tower);
}
const below = (tower: Tower, options: Options): number => tower.layers - 1 - count(tower, options);

/** [P, H, N, D/H] -> [P, N, D] */
function merge(heads: Value, width: number): Value {
  const [batch, , tokens] = heads.shape;
  return reshape(transpose(heads, [0, 2, 1, 3]), [batch, tokens, width]);
}

/** Below this range of cosines there is nothing but rounding to stretch: every token then weighs 1. */
const FLAT = 1e-6;

/** λ: min–max over the known tokens of cos(W_o q_pooled + b_o, W_o k_i + b_o), [P, N]; zero for the others. */
function looseAttention(graph: AttentionGraph, block: BlockTrace): Value {
  const through = (heads: Value): Value => normalise(block.project(merge(heads, graph.tower.width)));
  const cosines = squeeze(matmul(graph.pooledRow(through(block.query)), through(block.key), { transB: true }), 1);
  const weight = graph.perToken('weight');
  const out = equal(weight, 0);
  const highest = max(where(out, -2, cosines), 1, true);
  const lowest = neg(max(where(out, -2, neg(cosines)), 1, true));
  const range = sub(highest, lowest);
  const stretched = div(sub(cosines, lowest), maximum(range, FLAT));
  return mul(where(less(range, FLAT), 1, stretched), weight);
}

/** Σ_h ∂s/∂A_h[pooled, ·] of the last blocks, each with its λ: [P, N]. */
function multiHead(graph: AttentionGraph, ksim: boolean): Value {
  const { blocks, pool } = graph.attentions(true);
  if (pool) return squeeze(sum(pool.gradient, 1), 1);
  return total(
    graph.trace().blocks.map((block, i) => {
      const slope = squeeze(graph.pooledRow(sum(blocks[i].gradient, 1)), 1);
      return ksim ? mul(slope, looseAttention(graph, block)) : slope;
    }),
  );
}

/** Blocks whose attention has one head over the full width, and Σ_d ∂s/∂o[pooled, d] · v[·, d] of each with its λ: [P, N]. */
function published(graph: AttentionGraph, ksim: boolean): Value {
  const { tower, job } = graph;
  const { width } = tower;
  const inside: { block: BlockTrace; input: Value; value: Value; context: Value }[] = [];
  let hidden = graph.hidden;
  for (let layer = job.layer; layer < tower.layers - 1; layer++) {
    const [block] = tower.trace(layer, hidden, 1, job.inputs).blocks;
    const [query, key, value] = [block.query, block.key, block.value].map(heads => merge(heads, width));
    const scores = matmul(query, key, { transB: true, alpha: width ** -0.5 });
    const context = matmul(softmax(block.mask ? add(scores, squeeze(block.mask, 1)) : scores), value);
    inside.push({ block, input: hidden, value, context });
    hidden = block.finish(block.project(context));
  }
  const last = inside.at(-1)!;
  const slopes = graph.gradients(
    graph.pooledFeatures(last.block, last.context, last.input),
    inside.map(i => i.context),
  );
  return total(
    inside.map(({ block, value }, i) => {
      const map = squeeze(matmul(graph.pooledRow(slopes[i]), value, { transB: true }), 1);
      return ksim ? mul(map, looseAttention(graph, block)) : map;
    }),
  );
}

const total = (maps: readonly Value[]): Value => maps.reduce((a, b) => add(a, b));

/** Tokens that λ is stretched over: patches; a caption's tokens, begin and end included, padding left out. */
function weights({ hidden, modality, players, lengths }: TowerJob): FloatTensor {
  const [pairs, tokens] = hidden.shape;
  const data = new Float32Array(pairs * tokens);
  for (let p = 0; p < pairs; p++)
    if (modality === 'image') for (const i of players[p]) data[p * tokens + i] = 1;
    else data.fill(1, p * tokens, p * tokens + lengths[p]);
  return floats([pairs, tokens], data);
}

/**
 * ReLU(Σ_l λ^l_i Σ_h ∂s/∂A^l_h[pooled, i]), [N]; the last block for images, several for texts. The identity behind it: with o the pooled
 * token's attention output, Σ_d ∂s/∂o_d · v_{i,d} = Σ_h ∂s/∂A_h[pooled, i]. The published form replaces the blocks' attention by a single
 * head over the full width, so it explains another function than the model ("Debunking Grad-ECLIP", arXiv 2605.12952), which is why it is
 * not the default. Where a head pools, its attention's gradient is the map, without λ.
 */
export const gradEclip: MethodEntry<Options> = {
  name: 'grad-eclip',
  title: 'Grad-ECLIP',
  family: 'attention',
  serves: 'pair',
  modalities: ['image', 'text'],
  schema,
  cost: 'F + B of the blocks read',
  paper: 'Zhao et al.: Gradient-based visual explanation for transformer-based CLIP, ICML 2024; arXiv 2502.18816',
  unit: 'score',
  signed: false,
  sampled: false,
  unsupported: (model, modality, { form }) =>
    form === 'published' && model[modality].pooling === 'attention'
      ? `The published form of grad-eclip reads the class token's attention, and the ${modality} tower of ${model.name} has none; take the multi-head form.`
      : undefined,
  layers: (model, options) => ({ image: below(model.image, options), text: below(model.text, options) }),
  explain: (run, options) =>
    explainByAttention(run, job => {
      const blocks = job.tower.layers - 1 - job.layer;
      const weight = weights(job);
      return {
        forward: blocks,
        backward: blocks,
        build: graph => relu(options.form === 'published' ? published(graph, options.ksim) : multiHead(graph, options.ksim)),
        feeds: range => ({ weight: rows(weight, range) }),
      };
    }),
};

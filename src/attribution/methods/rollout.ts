/** @file Attention rollout: attention, half of it the residual, multiplied through the blocks from the pooled token down. A control: no target. */
import { z } from 'zod';
import { add, div, matmul, max, mean, neg, squeeze, sum, unsqueeze, type Value } from '../../graph/index.ts';
import type { MethodEntry } from '../method.ts';
import { explainByAttention } from '../primitives/attention.ts';
import { oneBlock } from '../primitives/blocks.ts';

const schema = z.strictObject({
  fusion: z.enum(['mean', 'max', 'min']).default('mean').describe('how the heads of a block become one matrix'),
  startBlock: z.number().int().default(0).describe('first block of the image tower that takes part, from 0'),
  textStartBlock: z.number().int().default(0).describe('the same for the text tower'),
});
type Options = z.infer<typeof schema>;

/** [P, H, Q, N] -> [P, Q, N] */
const FUSIONS: Record<Options['fusion'], (attention: Value) => Value> = {
  mean: a => mean(a, 1),
  max: a => max(a, 1),
  min: a => neg(max(neg(a), 1)),
};

/**
 * R = Π_l rownorm(fuse_h A^l + I), last block first; the pooled token's row, [N]. One row is carried down the blocks in place of a product of
 * matrices. Where a head pools, its own attention over the tokens is the row to begin with. The same for every prompt.
 */
export const rollout: MethodEntry<Options> = {
  name: 'rollout',
  title: 'Attention rollout',
  family: 'attention',
  serves: 'pair',
  answers: { by: 'row', layer: (tower, { startBlock }) => oneBlock(startBlock, tower) - 1 },
  modalities: ['image', 'text'],
  schema,
  cost: '1 F; ignores the target',
  paper: 'Abnar, Zuidema: Quantifying attention flow in transformers, ACL 2020, arXiv 2005.00928',
  unit: 'score',
  signed: false,
  sampled: false,
  layers: (model, { startBlock, textStartBlock }) => ({
    image: oneBlock(startBlock, model.image) - 1,
    text: oneBlock(textStartBlock, model.text) - 1,
  }),
  explain: (run, { fusion }) =>
    explainByAttention(run, ({ tower, layer }) => ({
      forward: tower.layers - 1 - layer,
      backward: 0,
      build(graph) {
        const fuse = FUSIONS[fusion];
        const { blocks, pool } = graph.attentions();
        let row = pool ? fuse(pool.attention) : graph.pooled();
        for (const { attention } of blocks.reverse()) {
          const fused = fuse(attention);
          // row · rownorm(A + I) = s·A + s with s = row / (Σ A + 1)
          const share = div(row, add(unsqueeze(sum(fused, 2), 1), 1));
          row = add(matmul(share, fused), share);
        }
        return squeeze(row, 1);
      },
    })),
};

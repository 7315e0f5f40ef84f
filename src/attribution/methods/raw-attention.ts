/** @file Raw attention: what the pooled token attends to in one block, mean over heads. The simplest reading, and a control: no target. */
import { z } from 'zod';
import { mean, squeeze } from '../../graph/index.ts';
import type { Tower } from '../../models/dual-encoder.ts';
import type { MethodEntry } from '../method.ts';
import { explainByAttention } from '../primitives/attention.ts';
import { oneBlock } from '../primitives/blocks.ts';

const block = z.union([z.literal('last'), z.number().int()]);
const schema = z.strictObject({
  block: block
    .default('last')
    .describe("block of the image tower whose attention is shown, from 0; last: the pooling head's where there is one"),
  textBlock: block.default('last').describe('the same for the text tower'),
});
type Options = z.infer<typeof schema>;

const chosen = (tower: Tower, options: Options): number | 'last' => (tower.modality === 'image' ? options.block : options.textBlock);
const byPool = (tower: Tower, options: Options): boolean => tower.pooling === 'attention' && chosen(tower, options) === 'last';
/** The hidden state below: the block's input, or the tower's output where the pooling head's attention is read. */
const below = (tower: Tower, options: Options): number =>
  byPool(tower, options) ? tower.layers - 1 : oneBlock(chosen(tower, options), tower) - 1;

/** mean_h A[pooled, ·], [N]: the pooled token's own entry included. The same for every prompt: fails any test of class sensitivity. */
export const rawAttention: MethodEntry<Options> = {
  name: 'raw-attention',
  title: 'Raw attention',
  family: 'attention',
  serves: 'pair',
  answers: {
    by: 'row',
    layer: (tower, { block }) => oneBlock(block, tower) - 1,
  },
  modalities: ['image', 'text'],
  schema,
  cost: '1 block F; ignores the target',
  paper:
    'Dosovitskiy et al.: An image is worth 16x16 words, ICLR 2021, arXiv 2010.11929 (appendix D.8); its limits: Jain, Wallace, arXiv 1902.10186',
  unit: 'score',
  signed: false,
  sampled: false,
  unsupported: (model, modality, options) =>
    model[modality].pooling === 'attention' && chosen(model[modality], options) !== 'last'
      ? `The ${modality} tower of ${model.name} has no class token whose row of one block could be read; leave the block at "last" for the pooling head's attention.`
      : undefined,
  layers: (model, options) => ({ image: below(model.image, options), text: below(model.text, options) }),
  explain: (run, options) =>
    explainByAttention(run, ({ tower }) => ({
      forward: byPool(tower, options) ? 0 : 1,
      backward: 0,
      build(graph) {
        const { blocks, pool } = graph.attentions();
        return squeeze(byPool(tower, options) ? mean(pool!.attention, 1) : graph.pooledRow(mean(blocks[0].attention, 1)), 1);
      },
    })),
};

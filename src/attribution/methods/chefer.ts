/** @file Generic attention explainability (GAME): attention weighted by its gradient, propagated through the blocks. */
import { z } from 'zod';
import { add, matmul, mean, mul, relu, squeeze, sub, type Value } from '../../graph/index.ts';
import type { Tower } from '../../models/dual-encoder.ts';
import type { MethodEntry } from '../method.ts';
import { type AttentionMap, explainByAttention } from '../primitives/attention.ts';

const schema = z.strictObject({
  layers: z
    .enum(['last', 'all'])
    .default('last')
    .describe('last: only the last attention, as the published notebook; all: every block (on ViT-B/16 this highlights artefacts)'),
});
type Options = z.infer<typeof schema>;

/** mean_h ReLU(A ∘ ∂s/∂A), [P, Q, N] */
const relevance = ({ attention, gradient }: Required<AttentionMap>): Value => mean(relu(mul(attention, gradient)), 1);

/** The last attention is the pooling head's where there is one: then no block is needed. */
const below = (tower: Tower, { layers }: Options): number =>
  layers === 'all' ? -1 : tower.pooling === 'attention' ? tower.layers - 1 : tower.layers - 2;

/**
 * R ← R + mean_h ReLU(A ∘ ∂s/∂A) R from R = I, first block to last (Chefer et al., equations 5 and 6); the map is the pooled token's row of
 * R − I. That row is carried from the last block down instead, which gives the same. Where a head pools, its relevance is the row to begin
 * with. Never negative. All layers highlight artefacts on ViT-B/16 (issues 8 and 10 of the published repository), so `last` is the default.
 */
export const chefer: MethodEntry<Options> = {
  name: 'chefer',
  title: 'Chefer et al.',
  family: 'attention',
  serves: 'pair',
  answers: { by: 'row', layer: (tower, { layers }) => (layers === 'all' ? -1 : tower.layers - 2) },
  modalities: ['image', 'text'],
  schema,
  cost: '1 block F + B (last), 1 F + 1 B (all)',
  paper:
    'Chefer, Gur, Wolf: Generic attention-model explainability for interpreting bi-modal and encoder-decoder transformers, ICCV 2021, arXiv 2103.15679',
  unit: 'score',
  signed: false,
  sampled: false,
  layers: (model, options) => ({ image: below(model.image, options), text: below(model.text, options) }),
  explain: run =>
    explainByAttention(run, ({ tower, layer }) => ({
      forward: tower.layers - 1 - layer,
      backward: tower.layers - 1 - layer,
      build(graph) {
        const { blocks, pool } = graph.attentions(true);
        let row = pool ? relevance(pool) : graph.pooled();
        for (const block of blocks.reverse()) row = add(row, matmul(row, relevance(block)));
        return squeeze(pool ? row : sub(row, graph.pooled()), 1);
      },
    })),
};

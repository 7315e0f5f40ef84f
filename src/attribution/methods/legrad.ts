/** @file LeGrad: how the target, read off each of the last layers, changes with that layer's attention. */
import { z } from 'zod';
import { add, mean, relu, squeeze, type Value } from '../../graph/index.ts';
import type { Tower } from '../../models/dual-encoder.ts';
import type { MethodEntry } from '../method.ts';
import { type AttentionGraph, explainByAttention } from '../primitives/attention.ts';
import { blockCount, lastBlocks } from '../primitives/blocks.ts';

const schema = z.strictObject({
  blocks: blockCount.default('auto').describe('last blocks of the image tower that are summed; auto: 2, as the published code'),
});
type Options = z.infer<typeof schema>;

const below = (tower: Tower, { blocks }: Options): number => tower.layers - 1 - lastBlocks(blocks, 2, tower);

/** Where one token is read: the mean over all tokens takes its place. Where a head pools: it reads the layer as it reads the last one. */
function reading(graph: AttentionGraph, hidden: Value, weights: Value): { features: Value; attention: Value } {
  const { project, pool } = graph.tower;
  if (project) return { features: squeeze(project(mean(hidden, 1, true)), 1), attention: weights };
  const { features, attention } = pool(hidden, 1, graph.job.inputs);
  return { features, attention: attention! };
}

/**
 * Σ_l mean_{h,q} ReLU(∂s^l/∂A^l_h[q, i]), [N], with s^l the target of the layer's output, mean over all tokens, through the tower's end. Where
 * a head pools, A^l is its attention over the layer's tokens. The published code also blanks, for such towers, what an empty prompt lights
 * up; that is left out. Each gradient passes one block only.
 */
export const legrad: MethodEntry<Options> = {
  name: 'legrad',
  title: 'LeGrad',
  family: 'attention',
  serves: 'pair',
  modalities: ['image'],
  schema,
  cost: 'F + B of the blocks read, each B through one block',
  paper:
    'Bousselham et al.: LeGrad: an explainability method for vision transformers via feature formation sensitivity, ICCV 2025, arXiv 2404.03214',
  unit: 'score',
  signed: false,
  sampled: false,
  layers: (model, options) => ({ image: below(model.image, options) }),
  explain: run =>
    explainByAttention(run, ({ tower, layer }) => ({
      forward: tower.layers - 1 - layer,
      backward: tower.pooling === 'token' ? tower.layers - 1 - layer : 0,
      build: graph =>
        graph
          .trace()
          .blocks.map(block => {
            const { features, attention } = reading(graph, block.hidden, block.attention);
            return mean(relu(graph.gradients(features, [attention])[0]), [1, 2]);
          })
          .reduce((a, b) => add(a, b)),
    })),
};

/**
 * @file SigLIP's vision tower (arXiv 2303.15343; SiglipVisionTransformer of transformers): patches with a bias, positions, no class token,
 * blocks, a norm over all tokens, and a head that pools them by attention.
 */
import { add, linear, patchify, reshape, scope, slice, softmax, squeeze, unsqueeze, type Value } from '../../graph/index.ts';
import { foldedMean, foldedScores, hiddenKeys, project } from '../../nn/attention.ts';
import type { SuffixOptions } from '../../nn/encoder.ts';
import { encode, feedForward, normLayer } from '../../nn/encoder.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { gridSize } from '../model-config.ts';
import type { SiglipVisionConfig } from './config.ts';

/** Pixels [B, C, H, W] -> [B, N, D]; `table` are position embeddings [N, D] for that size (the checkpoint's by default). */
export function embedPixels(p: Parameters, config: SiglipVisionConfig, pixels: Value, table?: Value): Value {
  const { hidden_size: width, patch_size: patch, num_channels: channels } = config;
  return scope('embeddings', () => {
    const e = p.in('embeddings');
    const kernel = reshape(e.get('patch_embedding.weight', [width, channels, patch, patch]), [width, channels * patch * patch]);
    const embedded = linear(patchify(pixels, patch), kernel, e.get('patch_embedding.bias', [width]));
    return add(embedded, unsqueeze(table ?? e.get('position_embedding.weight', [gridSize(config) ** 2, width]), 0));
  });
}

/** What a pooling head gives. */
export interface Pooled {
  /** [B, D] */
  readonly features: Value;
  /** The head's attention over the tokens, [B, H, 1, N]; on the way to the features, so that gradients can be taken. */
  readonly attention: Value;
  /** The tokens behind the last norm, which the head reads, [B, N, D]; on the way to the features too. */
  readonly normed: Value;
}

/**
 * The tower's end, on any block's output [B, N, D]: last norm, then SiglipMultiheadAttentionPoolingHead, in which a learnt probe attends
 * over the tokens (torch.nn.MultiheadAttention: the three projections stand in one matrix), and norm and MLP around it.
 * @param mask additive, broadcast to [B, H, N]
 */
export function poolTokens(p: Parameters, config: SiglipVisionConfig, hidden: Value, mask?: Value): Pooled {
  const { hidden_size: width, num_attention_heads: heads, layer_norm_eps: epsilon } = config;
  const normed = normLayer(p, 'post_layernorm', hidden, epsilon);
  return scope('head', () => {
    const head = p.in('head');
    const a = head.in('attention');
    const { attention, pooled } = scope('attention', () => {
      const weights = a.get('in_proj_weight', [3 * width, width]);
      const biases = a.get('in_proj_bias', [3 * width]);
      const [query, key, value] = [0, 1, 2].map(i => slice(weights, 0, i * width, (i + 1) * width));
      const [queryBias, , valueBias] = [0, 1, 2].map(i => slice(biases, 0, i * width, (i + 1) * width));
      const probe = linear(head.get('probe', [1, 1, width]), query, queryBias);
      const scores = foldedScores(reshape(probe, [1, heads, width / heads]), key, normed);
      const attention = unsqueeze(softmax(mask ? add(scores, mask) : scores), 2);
      const context = add(foldedMean(squeeze(attention, 2), value, normed), valueBias);
      return { attention, pooled: project(a, 'out_proj', context, width) };
    });
    const features = add(pooled, feedForward(head, config, normLayer(head, 'layernorm', pooled, epsilon)));
    return { features: squeeze(features, 1), attention, normed };
  });
}

/** The head's mask of hidden tokens, [B, N] -> [B, 1, N]. */
const headMask = (keyMask: Value): Value => squeeze(hiddenKeys(keyMask), 1);

/** From the input of block `from` [B, N, D] to the features, all blocks over all tokens, with every block's inside. */
export function visionSuffix(p: Parameters, config: SiglipVisionConfig, hidden: Value, from: number, options: SuffixOptions = {}) {
  const { keyMask, tap } = options;
  const run = encode(p, config, hidden, { from, mask: keyMask && hiddenKeys(keyMask), tap });
  return { ...run, ...poolTokens(p, config, run.hidden.at(-1)!, keyMask && headMask(keyMask)) };
}

/** @file CLIP's vision tower: patch embedding, class token, positions, pre-norm, blocks, pooled class token, projection. */
import {
  add,
  broadcastTo,
  concat,
  gather,
  linear,
  patchify,
  reshape,
  scope,
  slice,
  squeeze,
  unsqueeze,
  type Value,
} from '../../graph/index.ts';
import { hiddenKeys, rowAt } from '../../nn/attention.ts';
import type { SuffixOptions } from '../../nn/encoder.ts';
import { encodePooled, normLayer } from '../../nn/encoder.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { gridSize } from '../model-config.ts';
import type { CLIPConfig, CLIPVisionConfig } from './config.ts';

/**
 * Embedding of patches: the input of the first block, after the pre-norm (hidden_states[0]).
 * @param patches [B, K, C·p·p]
 * @param positions position embeddings of the class token and of the patches: rows of `table` [1 + N, D]; `kept` [B, K] (integers in
 *   0…N−1) tells which patches are given where some were dropped (FLIP, arXiv 2212.00794)
 * @returns [B, 1 + K, D]
 */
export function embedPatches(p: Parameters, config: CLIPVisionConfig, patches: Value, positions: { table: Value; kept?: Value }): Value {
  const { hidden_size: width, patch_size: patch, num_channels: channels } = config;
  return scope('embeddings', () => {
    const e = p.in('embeddings');
    const kernel = reshape(e.get('patch_embedding.weight', [width, channels, patch, patch]), [width, channels * patch * patch]);
    const embedded = linear(patches, kernel);
    const batch = patches.shape[0];
    const classToken = broadcastTo(reshape(e.get('class_embedding', [width]), [1, 1, width]), [batch, 1, width], patches);
    const { table, kept } = positions;
    const tokens = kept
      ? concat([add(classToken, slice(table, 0, 0, 1)), add(embedded, gather(slice(table, 0, 1), kept))], 1)
      : add(concat([classToken, embedded], 1), unsqueeze(table, 0));
    return normLayer(p, 'pre_layrnorm', tokens, config.layer_norm_eps);
  });
}

/** The checkpoint's own position embeddings, [1 + N, D]. */
export const positionTable = (p: Parameters, config: CLIPVisionConfig): Value =>
  p.in('embeddings').get('position_embedding.weight', [gridSize(config) ** 2 + 1, config.hidden_size]);

/** Embedding of pixels [B, C, H, W] -> [B, 1 + N, D]; `table` are position embeddings for that size (the checkpoint's by default). */
export function embedPixels(p: Parameters, config: CLIPVisionConfig, pixels: Value, table: Value = positionTable(p, config)): Value {
  return embedPatches(p, config, patchify(pixels, config.patch_size), { table });
}

/** Any tokens through the tower's end, [B, M, D] -> [B, M, projection_dim]. */
export function projectVisionTokens(p: Parameters, config: CLIPConfig, tokens: Value): Value {
  const normed = scope('vision_model', () =>
    normLayer(p.in('vision_model'), 'post_layernorm', tokens, config.vision_config.layer_norm_eps),
  );
  return linear(normed, p.get('visual_projection.weight', [config.projection_dim, config.vision_config.hidden_size]));
}

/** Pooled and projected: [B, 1, D] (class token after the last block) -> image features [B, projection_dim], not normalised. */
export const projectVision = (p: Parameters, config: CLIPConfig, pooled: Value): Value =>
  squeeze(projectVisionTokens(p, config, pooled), 1);

/** From the input of block `from` [B, 1 + N, D] to image features [B, projection_dim], last block for the class token only. */
export function visionSuffix(p: Parameters, config: CLIPConfig, hidden: Value, from: number, options: SuffixOptions = {}): Value {
  const all = options.keyMask && hiddenKeys(options.keyMask);
  const masks = all ? { all, pooled: squeeze(all, 1) } : {};
  const pooled = scope('vision_model', () =>
    encodePooled(p.in('vision_model'), config.vision_config, hidden, { from, pick: x => rowAt(x, 0), masks, tap: options.tap }),
  );
  return projectVision(p, config, pooled);
}

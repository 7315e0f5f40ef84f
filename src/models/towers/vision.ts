/** @file A vision transformer as its spec says: embedding, pooling and head; the blocks are nn/encoder.ts. */
import {
  add,
  broadcastTo,
  concat,
  div,
  fill,
  linear,
  matmul,
  mul,
  patchify,
  reshape,
  scope,
  softmax,
  squeeze,
  sum,
  transpose,
  unsqueeze,
  type Value,
} from '../../graph/index.ts';
import { foldedMean, foldedScores, hiddenKeys, project, rowAt } from '../../nn/attention.ts';
import { encode, encodePooled, feedForward, normLayer, type SuffixOptions } from '../../nn/encoder.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { gridSize } from '../model-config.ts';
import { applyHead } from './head.ts';
import type { VisionSpec } from './spec.ts';

/** The patch embedding as rows over C·p·p values, channels first, [D, C·p·p]. */
function patchKernel(e: Parameters, spec: VisionSpec): Value {
  const { hidden_size: width, patch_size: patch, num_channels: channels } = spec;
  const area = patch * patch;
  if (spec.patch_layout !== 'channels_last')
    return reshape(e.get('patch_embedding.weight', [width, channels, patch, patch]), [width, channels * area]);
  const rows = reshape(e.get('patch_embedding.weight', [width, area * channels]), [width, area, channels]);
  return reshape(transpose(rows, [0, 2, 1]), [width, channels * area]);
}

/** The checkpoint's own position embeddings, [prefix + N, D]. */
const positionTable = (e: Parameters, spec: VisionSpec): Value =>
  e.get('position_embedding.weight', [gridSize(spec) ** 2 + (spec.class_token ? 1 : 0), spec.hidden_size]);

/** Pixels [B, C, H, W] to the first block's input [B, prefix + N, D]. @param p the tower's; @param table positions for another image size */
export function embedPixels(p: Parameters, spec: VisionSpec, pixels: Value, table?: Value): Value {
  const { hidden_size: width, patch_size: patch } = spec;
  return scope('embeddings', () => {
    const e = p.in('embeddings');
    const bias = spec.patch_bias ? e.get('patch_embedding.bias', [width]) : undefined;
    const patches = linear(patchify(pixels, patch), patchKernel(e, spec), bias);
    const batch = patches.shape[0];
    const first = (): Value => broadcastTo(reshape(e.get('class_embedding', [width]), [1, 1, width]), [batch, 1, width], patches);
    const tokens = add(spec.class_token ? concat([first(), patches], 1) : patches, unsqueeze(table ?? positionTable(e, spec), 0));
    return spec.pre_norm ? normLayer(p, 'pre_layrnorm', tokens, spec.layer_norm_eps) : tokens;
  });
}

/** What the tower's end gives. `attention` [B, H, 1, N] and `read` [B, N, D] where all tokens are read; both are on the way to the features. */
export interface VisionEnd {
  /** What the head gets: the pooled token, [B, 1, D]. */
  readonly pooled: Value;
  /** [B, E] */
  readonly features: Value;
  readonly attention?: Value;
  readonly read?: Value;
}

/** Equal weights of all shown patches, [B, 1, 1, N]: the class token has none. @param keyMask 1 = shown, [B, N] */
function meanWeights(spec: VisionSpec, tokens: Value, keyMask?: Value): Value {
  const [batch, count] = tokens.shape as [number | string, number];
  const patches = spec.class_token ? count - 1 : count;
  const ones = (size: number, value: number): Value => fill([batch, size], value, 'float32', tokens);
  const shown = spec.class_token ? concat([ones(1, 0), ones(patches, 1)], 1) : ones(patches, 1);
  const weights = keyMask ? mul(shown, keyMask) : shown;
  return unsqueeze(unsqueeze(div(weights, sum(weights, 1, true)), 1), 1);
}

/** A learnt probe's attention over the tokens and what comes of it (SigLIP's head, timm's AttentionPoolLatent): norm and MLP around it. */
function probe(p: Parameters, spec: VisionSpec, tokens: Value, keyMask?: Value): { pooled: Value; attention: Value } {
  const { hidden_size: width, num_attention_heads: heads } = spec;
  return scope('head', () => {
    const head = p.in('head');
    const a = head.in('attention');
    const { attention, output } = scope('attention', () => {
      const query = reshape(project(a, 'q_proj', head.get('probe', [1, 1, width]), width), [1, heads, width / heads]);
      // A key's bias shifts all scores alike.
      a.get('k_proj.bias', [width]);
      const scores = foldedScores(query, a.get('k_proj.weight', [width, width]), tokens);
      const attention = unsqueeze(softmax(keyMask ? add(scores, squeeze(hiddenKeys(keyMask), 1)) : scores), 2);
      const context = foldedMean(squeeze(attention, 2), a.get('v_proj.weight', [width, width]), tokens);
      return { attention, output: project(a, 'out_proj', add(context, a.get('v_proj.bias', [width])), width) };
    });
    return { attention, pooled: add(output, feedForward(head, spec, normLayer(head, 'layernorm', output, spec.layer_norm_eps))) };
  });
}

/** Tokens one by one through last norm and head, [B, M, D] -> [B, M, E]. @param p the model's parameters */
export function projectTokens(p: Parameters, spec: VisionSpec, tokens: Value): Value {
  return applyHead(p, spec.head, spec.final_norm === 'none' ? tokens : lastNorm(p, spec, tokens));
}

const lastNorm = (p: Parameters, spec: VisionSpec, x: Value): Value =>
  scope('vision_model', () => normLayer(p.in('vision_model'), 'post_layernorm', x, spec.layer_norm_eps));

/** The tower's end on any block's output [B, N, D]. @param p the model's parameters; @param keyMask 1 = shown, [B, N] */
export function visionEnd(p: Parameters, spec: VisionSpec, hidden: Value, keyMask?: Value): VisionEnd {
  const ended = (pooled: Value): { pooled: Value; features: Value } => {
    const normed = spec.final_norm === 'pooled' ? lastNorm(p, spec, pooled) : pooled;
    return { pooled: normed, features: squeeze(applyHead(p, spec.head, normed), 1) };
  };
  if (spec.pooling === 'token') {
    const token = rowAt(hidden, 0);
    return ended(spec.final_norm === 'tokens' ? lastNorm(p, spec, token) : token);
  }
  const read = spec.final_norm === 'tokens' ? lastNorm(p, spec, hidden) : hidden;
  if (spec.pooling === 'attention') {
    const { attention, pooled } = scope('vision_model', () => probe(p.in('vision_model'), spec, read, keyMask));
    return { ...ended(pooled), attention, read };
  }
  const attention = meanWeights(spec, read, keyMask);
  return { ...ended(matmul(squeeze(attention, 1), read)), attention, read };
}

/** From the input of block `from` to the end over all tokens, with every block's inside. @param p the model's parameters */
export function visionTrace(p: Parameters, spec: VisionSpec, hidden: Value, from: number, { keyMask, tap }: SuffixOptions = {}) {
  const run = scope('vision_model', () => encode(p.in('vision_model'), spec, hidden, { from, mask: keyMask && hiddenKeys(keyMask), tap }));
  return { ...run, end: visionEnd(p, spec, run.hidden.at(-1)!, keyMask) };
}

/** From the input of block `from` [B, N, D] to features [B, E]; where one token is read, the last block runs for it only. */
export function visionSuffix(p: Parameters, spec: VisionSpec, hidden: Value, from: number, options: SuffixOptions = {}): Value {
  if (spec.pooling !== 'token') return visionTrace(p, spec, hidden, from, options).end.features;
  const all = options.keyMask && hiddenKeys(options.keyMask);
  const masks = all ? { all, pooled: squeeze(all, 1) } : {};
  const token = scope('vision_model', () =>
    encodePooled(p.in('vision_model'), spec, hidden, { from, pick: x => rowAt(x, 0), masks, tap: options.tap }),
  );
  return visionEnd(p, spec, token).features;
}

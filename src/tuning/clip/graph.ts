/** @file The training graph of a CLIP: contrastive loss on captions and, on scenes, the naming of the image and of each patch. */
import {
  add,
  cast,
  clip,
  crossEntropy,
  div,
  equal,
  exp,
  grad,
  groupedContrastiveLoss,
  input,
  linear,
  logSoftmax,
  matmul,
  maximum,
  mul,
  neg,
  norm,
  reshape,
  scope,
  slice,
  squeeze,
  sum,
  takeAlongAxis,
  type Value,
  where,
} from '../../graph/index.ts';
import type { CLIPConfig } from '../../models/clip/config.ts';
import { clipLoss } from '../../models/clip/forward.ts';
import { embedText, textSuffix } from '../../models/clip/text.ts';
import { embedPatches, positionTable } from '../../models/clip/vision.ts';
import { textMask } from '../../nn/attention.ts';
import { encode, normLayer } from '../../nn/encoder.ts';
import { type Parameters, trainableParameters } from '../../nn/parameters.ts';

/** Largest logit scale, exp(4.6052) = 100, as CLIP's training clamps it. */
const MAX_LOGIT_SCALE = Math.log(100);

/** Normalised text embeddings [n, projection_dim] of ids [n, T], pooled at `eos` [n]. */
export function textEmbeddings(p: Parameters, config: CLIPConfig, ids: Value, eos: Value): Value {
  const hidden = scope('text_model', () => embedText(p.in('text_model'), config.text_config, ids));
  const features = textSuffix(p, config, hidden, { from: 0, eos, mask: textMask(ids) });
  return div(features, norm(features));
}

/** Normalised projections of every token of the vision tower, [B, 1 + K, projection_dim]: the class token's first. */
export function tokenEmbeddings(p: Parameters, config: CLIPConfig, patches: Value, kept: Value): Value {
  const tower = p.in('vision_model');
  const embedded = scope('vision_model', () => {
    const x = embedPatches(tower, config.vision_config, patches, { table: positionTable(tower, config.vision_config), kept });
    return normLayer(tower, 'post_layernorm', encode(tower, config.vision_config, x).hidden.at(-1)!, config.vision_config.layer_norm_eps);
  });
  const projected = linear(embedded, p.get('visual_projection.weight', [config.projection_dim, config.vision_config.hidden_size]));
  return div(projected, norm(projected));
}

/** exp(logit_scale), at most 100. */
const logitScale = (p: Parameters): Value => exp(clip(p.get('logit_scale', []), -10, MAX_LOGIT_SCALE));

/** Mean cross-entropy of several right names per row; -1 marks none. @param logits [B, C]; @param names integers [B, k] */
function namesLoss(logits: Value, names: Value): Value {
  const none = equal(names, -1);
  const picked = takeAlongAxis(logSoftmax(logits), where(none, 0, names));
  const count = sum(cast(equal(cast(none, 'int32'), 0), 'float32'));
  return neg(div(sum(where(none, 0, picked)), maximum(count, 1)));
}

/** Weights of the losses; a naming loss of weight 0 is not computed. */
export interface LossWeights {
  readonly contrastive: number;
  readonly naming: number;
  readonly dense: number;
}

/** Outputs of the training graph: `loss`, its parts, and `grad.NAME` of every parameter. */
export interface TrainGraph {
  readonly parameters: ReadonlyMap<string, Value>;
  readonly outputs: Readonly<Record<string, Value>>;
}

/**
 * Traces the loss and its gradients. Inputs: patches [batch, kept, C·p·p], kept, ids [texts, seq], eos; with naming losses also owners,
 * names [batch, k], nameIds [concepts, nameSeq], nameEos.
 * @param grouped the input groups [batch] says which texts are one target
 */
export function trainGraph(config: CLIPConfig, weights: LossWeights, maxObjects: number, grouped = false): TrainGraph {
  const p = trainableParameters();
  const { num_channels: channels, patch_size: patch } = config.vision_config;
  const patches = input('patches', ['batch', 'kept', channels * patch * patch]);
  const kept = input('kept', ['batch', 'kept'], 'int32');
  const tokens = tokenEmbeddings(p, config, patches, kept);
  const image = squeeze(slice(tokens, 1, 0, 1), 1);
  const text = textEmbeddings(p, config, input('ids', ['batch', 'seq'], 'int32'), input('eos', ['batch'], 'int32'));
  const scale = logitScale(p);
  const logits = mul(matmul(text, image, { transB: true }), scale);
  const parts: Record<string, Value> = {
    contrastive: grouped ? groupedContrastiveLoss(logits, input('groups', ['batch'], 'int32')) : clipLoss(logits),
  };
  if (weights.naming || weights.dense) {
    const names = textEmbeddings(p, config, input('nameIds', ['concepts', 'nameSeq'], 'int32'), input('nameEos', ['concepts'], 'int32'));
    if (weights.naming)
      parts.naming = namesLoss(mul(matmul(image, names, { transB: true }), scale), input('names', ['batch', maxObjects], 'int32'));
    if (weights.dense) {
      const rows = reshape(slice(tokens, 1, 1), ['batch*kept', config.projection_dim]);
      parts.dense = crossEntropy(
        mul(matmul(rows, names, { transB: true }), scale),
        reshape(input('owners', ['batch', 'kept'], 'int32'), ['batch*kept']),
        -1,
      );
    }
  }
  const weighted = Object.entries(parts).map(([name, value]) => mul(value, weights[name as keyof LossWeights]));
  const loss = weighted.reduce((a, b) => add(a, b));
  const names = [...p.all.keys()];
  const gradients = grad(
    loss,
    names.map(name => p.all.get(name)!),
  );
  return { parameters: p.all, outputs: { loss, ...parts, ...Object.fromEntries(names.map((name, i) => [`grad.${name}`, gradients[i]])) } };
}

/** @file The training graph of a CLIP: contrastive loss on captions and, on scenes, the naming of the image and of each patch. */
import {
  add,
  cast,
  clip,
  crossEntropy,
  div,
  equal,
  exp,
  gather,
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
  unsqueeze,
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

/** What the losses stand on: features and names. */
interface Forward {
  readonly p: Parameters;
  /** Normalised features [batch, projection_dim]. */
  readonly image: Value;
  readonly text: Value;
  /** Normalised projections of the picture's patches [batch * kept, projection_dim]. */
  readonly rows: Value;
  readonly scale: Value;
}

function forward(p: Parameters, config: CLIPConfig): Forward {
  const { num_channels: channels, patch_size: patch } = config.vision_config;
  const patches = input('patches', ['batch', 'kept', channels * patch * patch]);
  const kept = input('kept', ['batch', 'kept'], 'int32');
  const tokens = tokenEmbeddings(p, config, patches, kept);
  const image = squeeze(slice(tokens, 1, 0, 1), 1);
  const text = textEmbeddings(p, config, input('ids', ['batch', 'seq'], 'int32'), input('eos', ['batch'], 'int32'));
  const scale = logitScale(p);
  return { p, image, text, scale, rows: reshape(slice(tokens, 1, 1), ['batch*kept', config.projection_dim]) };
}

/** Naming losses of weight above 0. */
function namingLosses({ p, image, rows, scale }: Forward, config: CLIPConfig, weights: LossWeights, maxObjects: number) {
  const parts: Record<string, Value> = {};
  if (!weights.naming && !weights.dense) return parts;
  const names = textEmbeddings(p, config, input('nameIds', ['concepts', 'nameSeq'], 'int32'), input('nameEos', ['concepts'], 'int32'));
  if (weights.naming)
    parts.naming = namesLoss(mul(matmul(image, names, { transB: true }), scale), input('names', ['batch', maxObjects], 'int32'));
  if (weights.dense)
    parts.dense = crossEntropy(
      mul(matmul(rows, names, { transB: true }), scale),
      reshape(input('owners', ['batch', 'kept'], 'int32'), ['batch*kept']),
      -1,
    );
  return parts;
}

const weigh = (parts: Readonly<Record<string, Value>>, weights: LossWeights): Value[] =>
  Object.entries(parts).map(([name, value]) => mul(value, weights[name as keyof LossWeights]));

/** `grad.NAME` of every parameter. */
function gradients(loss: Value, { all }: { readonly all: ReadonlyMap<string, Value> }): Record<string, Value> {
  const names = [...all.keys()];
  const found = grad(
    loss,
    names.map(name => all.get(name)!),
  );
  return Object.fromEntries(names.map((name, i) => [`grad.${name}`, found[i]]));
}

/**
 * Traces the loss and its gradients. Inputs: patches [batch, kept, C·p·p], kept, ids [texts, seq], eos; with naming losses also owners,
 * names [batch, k], nameIds [concepts, nameSeq], nameEos.
 * @param grouped the input groups [batch] says which texts are one target
 */
export function trainGraph(config: CLIPConfig, weights: LossWeights, maxObjects: number, grouped = false): TrainGraph {
  const p = trainableParameters();
  const found = forward(p, config);
  const logits = mul(matmul(found.text, found.image, { transB: true }), found.scale);
  const parts: Record<string, Value> = {
    contrastive: grouped ? groupedContrastiveLoss(logits, input('groups', ['batch'], 'int32')) : clipLoss(logits),
    ...namingLosses(found, config, weights, maxObjects),
  };
  const loss = weigh(parts, weights).reduce((a, b) => add(a, b));
  return { parameters: p.all, outputs: { loss, ...parts, ...gradients(loss, p) } };
}

/** Features of one process's rows of a batch: image and text [batch, projection_dim]. Inputs as of `trainGraph`, without names. */
export function featureGraph(config: CLIPConfig): Readonly<Record<string, Value>> {
  const { image, text } = forward(trainableParameters(), config);
  return { image, text };
}

/**
 * One process's share of the contrastive loss over the features of all (OpenCLIP's local loss): its rows against all columns, both ways.
 * Inputs: images and texts [all, projection_dim], groups [all] (equal where texts are one target), mine [batch] (its rows).
 * Outputs: contrastive, of which the sum over processes is the loss; its gradients grad.images, grad.texts and grad.logit_scale.
 */
export function contrastGraph({ projection_dim: width }: CLIPConfig, weight: number): Readonly<Record<string, Value>> {
  const p = trainableParameters();
  const images = input('images', ['all', width]);
  const texts = input('texts', ['all', width]);
  const groups = input('groups', ['all'], 'int32');
  const mine = input('mine', ['batch'], 'int32');
  const same = cast(equal(unsqueeze(gather(groups, mine), 1), unsqueeze(groups, 0)), 'float32');
  const share = div(same, sum(same, -1, true));
  const all = sum(cast(equal(groups, groups), 'float32'));
  const scale = logitScale(p);
  const half = (rows: Value, columns: Value): Value =>
    sum(mul(share, logSoftmax(mul(matmul(gather(rows, mine), columns, { transB: true }), scale))));
  const contrastive = neg(div(mul(add(half(texts, images), half(images, texts)), 0.5), all));
  const wanted = { images, texts, logit_scale: p.all.get('logit_scale')! };
  return { contrastive, ...gradients(mul(contrastive, weight), { all: new Map(Object.entries(wanted)) }) };
}

/**
 * One process's share of the loss behind given gradients of its features (the second pass of GradCache, arXiv 2101.06983). Inputs as of
 * `trainGraph`, and gradImage, gradText [batch, projection_dim]; namingShare and denseShare: this process's share of all right names.
 * Outputs: the naming losses, whose sums over processes are those of the batch, and `grad.NAME`, of which the same holds.
 */
export function gatheredGraph(config: CLIPConfig, weights: LossWeights, maxObjects: number): Readonly<Record<string, Value>> {
  const p = trainableParameters();
  const found = forward(p, config);
  const behind = (feature: Value, name: string): Value => sum(mul(feature, input(name, ['batch', config.projection_dim])));
  const parts = Object.fromEntries(
    Object.entries(namingLosses(found, config, weights, maxObjects)).map(([name, loss]) => [name, mul(loss, input(`${name}Share`, []))]),
  );
  const loss = [behind(found.image, 'gradImage'), behind(found.text, 'gradText'), ...weigh(parts, weights)].reduce((a, b) => add(a, b));
  const used = new Map([...p.all].filter(([name]) => name !== 'logit_scale' || Object.keys(parts).length > 0));
  return { ...parts, ...gradients(loss, { all: used }) };
}

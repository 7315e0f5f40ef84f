/** @file CLIP's whole forward pass as a traced graph, with every intermediate value that a caller may ask for. */
import { div, exp, matmul, mul, norm, scope, transpose, type Value } from '../../graph/index.ts';
import { iota } from '../../graph/ops/constants.ts';
import { contrastiveLoss } from '../../graph/ops/losses.ts';
import { squeeze } from '../../graph/ops/shape.ts';
import { rowAt, textMask } from '../../nn/attention.ts';
import { encode, normLayer } from '../../nn/encoder.ts';
import type { Parameters } from '../../nn/parameters.ts';
import type { TowerOutput } from '../dual-encoder-model.ts';
import type { CLIPConfig } from './config.ts';
import { embedText, projectText, rowsAt } from './text.ts';
import { embedPixels, projectVision } from './vision.ts';

/** Pixels [B, C, H, W] through the whole vision tower. `table`: position embeddings for another image size. */
export function visionTower(p: Parameters, config: CLIPConfig, pixels: Value, table?: Value): TowerOutput {
  const tower = p.in('vision_model');
  const { hidden, attentions } = scope('vision_model', () =>
    encode(tower, config.vision_config, embedPixels(tower, config.vision_config, pixels, table)),
  );
  const pooled = rowAt(hidden.at(-1)!, 0);
  const poolerOutput = squeeze(normLayer(tower, 'post_layernorm', pooled, config.vision_config.layer_norm_eps), 1);
  return { hiddenStates: hidden, attentions, poolerOutput, features: projectVision(p, config, pooled) };
}

/** Ids [B, T] through the whole text tower. @param eos int32 [B]; @param attentionMask integers [B, T] */
export function textTower(p: Parameters, config: CLIPConfig, ids: Value, eos: Value, attentionMask?: Value): TowerOutput {
  const tower = p.in('text_model');
  const mask = textMask(ids, attentionMask);
  const { hidden, attentions } = scope('text_model', () =>
    encode(tower, config.text_config, embedText(tower, config.text_config, ids), { mask }),
  );
  const pooled = rowsAt(hidden.at(-1)!, eos);
  const poolerOutput = squeeze(normLayer(tower, 'final_layer_norm', pooled, config.text_config.layer_norm_eps), 1);
  return { hiddenStates: hidden, attentions, poolerOutput, features: projectText(p, config, pooled) };
}

/** Similarities of normalised embeddings: exp(logit_scale) · text · imageᵀ, and its transpose. */
export function similarity(p: Parameters, image: TowerOutput, text: TowerOutput) {
  const imageEmbeds = div(image.features, norm(image.features));
  const textEmbeds = div(text.features, norm(text.features));
  const logitsPerText = mul(matmul(textEmbeds, imageEmbeds, { transB: true }), exp(p.get('logit_scale', [])));
  return { imageEmbeds, textEmbeds, logitsPerText, logitsPerImage: transpose(logitsPerText) };
}

/** CLIP's contrastive loss of matching pairs (clip_loss in transformers). */
export const clipLoss = (logitsPerText: Value): Value => contrastiveLoss(logitsPerText, iota(logitsPerText, 0));

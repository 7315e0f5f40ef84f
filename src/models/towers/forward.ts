/** @file The whole forward pass of two towers as a traced graph, and the tensors that it asks for. */
import { add, div, exp, input, matmul, mul, norm, scope, squeeze, transpose, type Value } from '../../graph/index.ts';
import { encode } from '../../nn/encoder.ts';
import { type Parameters, trainableParameters } from '../../nn/parameters.ts';
import { rowsAt } from '../clip/text.ts';
import type { Similarity, TowerOutput } from '../dual-encoder-model.ts';
import { applyHead } from './head.ts';
import type { TextSpec, TowersConfig, VisionSpec } from './spec.ts';
import { addPositions, embedTokens, lastNorm, textBlocks, textMasks } from './text.ts';
import { embedPixels, visionEnd } from './vision.ts';

/** Pixels [B, C, H, W] through the whole image tower. `table`: position embeddings for another image size. */
export function imageForward(p: Parameters, spec: VisionSpec, pixels: Value, table?: Value): TowerOutput {
  const tower = p.in('vision_model');
  const { hidden, attentions } = scope('vision_model', () => encode(tower, spec, embedPixels(tower, spec, pixels, table)));
  const { pooled, features } = visionEnd(p, spec, hidden.at(-1)!);
  return { hiddenStates: hidden, attentions, poolerOutput: squeeze(pooled, 1), features };
}

/** Ids [B, T] through the whole text tower. @param at int32 [B]; @param padding integers [B, T] */
export function textForward(p: Parameters, spec: TextSpec, ids: Value, at: Value, padding?: Value): TowerOutput {
  const embedded = addPositions(p, spec, embedTokens(p, spec, ids));
  const { hidden, attentions } = textBlocks(p, spec, embedded, { masks: textMasks(spec, embedded, at, padding) });
  const pooled = lastNorm(p, spec, rowsAt(hidden.at(-1)!, at));
  return { hiddenStates: hidden, attentions, poolerOutput: squeeze(pooled, 1), features: squeeze(applyHead(p, spec.head, pooled), 1) };
}

/** Similarities of normalised embeddings: exp(logit_scale) · text · imageᵀ, plus `logit_bias` where there is one, and its transpose. */
export function similarity(p: Parameters, config: Pick<TowersConfig, 'logit_bias'>, image: TowerOutput, text: TowerOutput): Similarity {
  const imageEmbeds = div(image.features, norm(image.features));
  const textEmbeds = div(text.features, norm(text.features));
  const scaled = mul(matmul(textEmbeds, imageEmbeds, { transB: true }), exp(p.get('logit_scale', [])));
  const logitsPerText = config.logit_bias ? add(scaled, p.get('logit_bias', [])) : scaled;
  return { imageEmbeds, textEmbeds, logitsPerText, logitsPerImage: transpose(logitsPerText) };
}

/** Every tensor that two towers of this config ask for, by name in memory, found by tracing them. */
export function wantedTensors(config: TowersConfig): ReadonlyMap<string, Value> {
  const p = trainableParameters();
  const { num_channels: channels, image_size: size } = config.vision_config;
  const image = imageForward(p, config.vision_config, input('pixel_values', ['batch', channels, size, size]));
  const text = textForward(p, config.text_config, input('input_ids', ['batch', 'seq'], 'int32'), input('eos', ['batch'], 'int32'));
  similarity(p, config, image, text);
  return p.all;
}

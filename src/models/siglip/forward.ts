/** @file SigLIP's whole forward pass as a traced graph, and the tensors that it asks for. */
import { add, div, exp, input, matmul, mul, norm, scope, transpose, type Value } from '../../graph/index.ts';
import { encode } from '../../nn/encoder.ts';
import { type Parameters, trainableParameters } from '../../nn/parameters.ts';
import { embedText } from '../clip/text.ts';
import type { Similarity, TowerOutput } from '../dual-encoder-model.ts';
import type { SiglipConfig } from './config.ts';
import { lastToken, projectText } from './text.ts';
import { embedPixels, visionSuffix } from './vision.ts';

/** Pixels [B, C, H, W] through the whole vision tower. `table`: position embeddings for another image size. */
export function visionTower(p: Parameters, { vision_config: vision }: SiglipConfig, pixels: Value, table?: Value): TowerOutput {
  const tower = p.in('vision_model');
  return scope('vision_model', () => {
    const { hidden, attentions, features } = visionSuffix(tower, vision, embedPixels(tower, vision, pixels, table), 0);
    return { hiddenStates: hidden, attentions, poolerOutput: features, features };
  });
}

/** Ids [B, T] through the whole text tower. */
export function textTower(p: Parameters, config: SiglipConfig, ids: Value): TowerOutput {
  const tower = p.in('text_model');
  return scope('text_model', () => {
    const { hidden, attentions } = encode(tower, config.text_config, embedText(tower, config.text_config, ids));
    const features = projectText(tower, config, lastToken(hidden.at(-1)!));
    return { hiddenStates: hidden, attentions, poolerOutput: features, features };
  });
}

/** Similarities of normalised embeddings: exp(logit_scale) · text · imageᵀ + logit_bias, and its transpose. */
export function similarity(p: Parameters, image: TowerOutput, text: TowerOutput): Similarity {
  const imageEmbeds = div(image.features, norm(image.features));
  const textEmbeds = div(text.features, norm(text.features));
  const scaled = mul(matmul(textEmbeds, imageEmbeds, { transB: true }), exp(p.get('logit_scale', [1])));
  const logitsPerText = add(scaled, p.get('logit_bias', [1]));
  return { imageEmbeds, textEmbeds, logitsPerText, logitsPerImage: transpose(logitsPerText) };
}

/** Every tensor of a SigLIP with this config, by name, found by tracing the model. */
export function wantedTensors(config: SiglipConfig): ReadonlyMap<string, Value> {
  const p = trainableParameters();
  const { num_channels: channels, image_size: size } = config.vision_config;
  const image = visionTower(p, config, input('pixel_values', ['batch', channels, size, size]));
  const text = textTower(p, config, input('input_ids', ['batch', 'seq'], 'int32'));
  similarity(p, image, text);
  return p.all;
}

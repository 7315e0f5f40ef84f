/** @file A model traced with the names that reference files use. */
import { input, type Value } from '../graph/index.ts';
import type { DualEncoderModel, TowerOutput } from '../models/dual-encoder-model.ts';
import type { Parameters } from '../nn/parameters.ts';
import type { Feeds } from '../runtime/runtime.ts';

/** The image tower over the config's own image size. @param batch name of the batch dimension */
export function traceImage(
  model: DualEncoderModel,
  batch: string,
  p: Parameters = model.parameters,
): { pixels: Value; tower: TowerOutput } {
  const { num_channels: channels, image_size: size } = model.config.vision_config;
  const pixels = input('pixel_values', [batch, channels, size, size]);
  return { pixels, tower: model.imageTower(p, pixels) };
}

/** The text tower; masked where the feeds have a mask. @param batch name of the batch dimension */
export const traceText = (model: DualEncoderModel, feeds: Feeds, batch: string, p: Parameters = model.parameters): TowerOutput =>
  model.textTower(p, feeds, batch);

/** A tower's values by name, in the order in which they are computed: `vision.hidden_states.0`, `vision.attentions.0`, … */
export function namedValues(prefix: 'vision' | 'text', tower: TowerOutput): Map<string, Value> {
  const values = new Map<string, Value>();
  for (const [i, hidden] of tower.hiddenStates.entries()) {
    values.set(`${prefix}.hidden_states.${i}`, hidden);
    if (i < tower.attentions.length) values.set(`${prefix}.attentions.${i}`, tower.attentions[i]);
  }
  return values.set(`${prefix}.pooler_output`, tower.poolerOutput);
}

/** Normalised embeddings and logits of both towers, by name. */
export function namedSimilarity(model: DualEncoderModel, image: TowerOutput, text: TowerOutput): Map<string, Value> {
  const { imageEmbeds, textEmbeds, logitsPerImage, logitsPerText } = model.similarity(model.parameters, image, text);
  return new Map([
    ['image_embeds', imageEmbeds],
    ['text_embeds', textEmbeds],
    ['logits_per_image', logitsPerImage],
    ['logits_per_text', logitsPerText],
  ]);
}

/** The sentence for a name whose index goes beyond the model's blocks. */
export const beyondModel = (name: string, { config }: DualEncoderModel): string =>
  `the model has ${config.vision_config.num_hidden_layers} image and ${config.text_config.num_hidden_layers} text blocks and no "${name}"`;

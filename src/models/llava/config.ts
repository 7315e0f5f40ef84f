/** @file LLaVA's config.json (LlavaForConditionalGeneration), keys verbatim, defaults as in transformers 4.57. */
import { z } from 'zod';
import { ACTIVATIONS } from '../../graph/index.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type CLIPVisionConfig, parseCLIPConfig } from '../clip/config.ts';
import { llavaNextKeys } from '../llava-next/config.ts';
import { gridSize } from '../model-config.ts';
import { type QwenVisionConfig, qwenKeys } from '../qwen2-vl/config.ts';
import { parseSiglipConfig, type SiglipVisionConfig } from '../siglip/config.ts';
import { smolvlmKeys } from '../smolvlm/config.ts';
import { refuseRelative } from './relatives.ts';
import { checkDecoder, textSchema } from './text-config.ts';

const size = z.number().int().positive();
const activation = (name: string) => z.enum(Object.keys(ACTIVATIONS) as [string, ...string[]]).default(name);

const llavaSchema = z.looseObject({
  model_type: z.string(),
  image_token_index: z.number().int().nonnegative().default(32000),
  projector_hidden_act: activation('gelu'),
  vision_feature_select_strategy: z.enum(['default', 'full']).default('default'),
  vision_feature_layer: z.union([z.number().int(), z.array(z.number().int()).min(1)]).default(-2),
  image_seq_length: size.default(576),
  multimodal_projector_bias: z.boolean().default(true),
  text_config: textSchema,
});

/** The vision tower's part of config.json, by its kind. */
export type LlavaVisionConfig =
  | (CLIPVisionConfig & { readonly model_type: 'clip_vision_model' })
  | (SiglipVisionConfig & { readonly model_type: 'siglip_vision_model' })
  | QwenVisionConfig;
/** Keys as in config.json (unknown keys are kept). */
export type LlavaConfig = z.infer<typeof llavaSchema> & { readonly vision_config: LlavaVisionConfig };

/** What LlavaConfig() of transformers takes where there is no vision_config: CLIP ViT-L/14 at 336 pixels. */
const VIT_LARGE = {
  intermediate_size: 4096,
  hidden_size: 1024,
  patch_size: 14,
  image_size: 336,
  num_hidden_layers: 24,
  num_attention_heads: 16,
};

const record = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;

function parseVision(json: unknown, source: string): LlavaVisionConfig {
  const vision = json === undefined || json === null ? VIT_LARGE : json;
  const type = record(vision)?.model_type ?? 'clip_vision_model';
  if (type === 'clip_vision_model')
    return { ...parseCLIPConfig({ model_type: 'clip', vision_config: vision }, source).vision_config, model_type: type };
  // Its own keys were read with the family's.
  if (type === 'qwen2_vl' || type === 'qwen2_5_vl') return vision as unknown as QwenVisionConfig;
  if (type !== 'siglip_vision_model')
    throw new NarrowsError(
      `${source}: vision_config.model_type is ${JSON.stringify(type)}; Narrows runs a LLaVA whose tower is clip_vision_model or siglip_vision_model.`,
    );
  // Only the tower is here: LLaVA reads neither its pooling head nor a text tower.
  const width = record(vision)?.hidden_size;
  const whole = {
    model_type: 'siglip',
    text_config: { projection_size: width ?? 768 },
    vision_config: { ...record(vision), vision_use_head: true },
  };
  return { ...parseSiglipConfig(whole, source).vision_config, model_type: type };
}

/**
 * The families whose decoder reads pictures' features among words as LLaVA's does, by `model_type`: their config.json with LLaVA's keys
 * (`image_token_index`, the towers' sections, what the projector reads), all others kept. A family's own keys stay its own.
 */
const FAMILY_KEYS: Readonly<Record<string, (given: Readonly<Record<string, unknown>>, source: string) => Record<string, unknown>>> = {
  idefics3: smolvlmKeys,
  smolvlm: smolvlmKeys,
  llava_next: llavaNextKeys,
  llava_onevision: llavaNextKeys,
  qwen2_vl: qwenKeys,
  qwen2_5_vl: qwenKeys,
};

/** Every `model_type` that `parseLlavaConfig` reads. */
export const ANSWERING_TYPES: readonly string[] = ['llava', ...Object.keys(FAMILY_KEYS)];

/** Whether a config is one of the original code's: Llama's keys, together with `mm_…`. Its LLaVA-Mini form is opened as it is. */
export const isOriginalLlava = (json: Readonly<Record<string, unknown>>): boolean =>
  (json.model_type === 'llava_llama' || (json.model_type === 'llava' && !record(json.vision_config))) &&
  typeof json.mm_vision_tower === 'string';

/** What can be done with one. */
export const originalLlavaError = (source: string): NarrowsError =>
  new NarrowsError(
    `${source} is in the layout of the original LLaVA code (mm_vision_tower among Llama's keys); convert it once with: narrows models convert DIRECTORY --vision-tower TOWER --output CONVERTED, where TOWER is the model that mm_vision_tower names.`,
  );

/** @throws NarrowsError naming the key that is wrong, or what Narrows does not run, in one sentence */
export function parseLlavaConfig(json: unknown, source = 'config.json'): LlavaConfig {
  const given = record(json) ?? {};
  refuseRelative(given, source);
  if (isOriginalLlava(given)) throw originalLlavaError(source);
  const type = String(given.model_type);
  if (!ANSWERING_TYPES.includes(type))
    throw new NarrowsError(`${source} is of model_type ${JSON.stringify(given.model_type)}, not "llava" (LlavaForConditionalGeneration).`);
  const asLlava = Object.hasOwn(FAMILY_KEYS, type) ? FAMILY_KEYS[type](given, source) : given;
  const text = record(asLlava.text_config) ?? {};
  const textType = text.model_type ?? 'llama';
  if (textType !== 'llama' && textType !== 'qwen2' && textType !== 'mistral')
    throw new NarrowsError(
      `${source}: text_config.model_type is ${JSON.stringify(textType)}; Narrows runs a LLaVA whose decoder is llama, mistral or qwen2.`,
    );
  const { image_token_id, ...rest } = asLlava;
  const keys = { ...rest, image_token_index: asLlava.image_token_index ?? image_token_id, text_config: { ...text, model_type: textType } };
  const result = llavaSchema.safeParse(keys);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new NarrowsError(`${source}: the key "${issue.path.join('.')}" is wrong (${issue.message}).`);
  }
  const config = { ...result.data, vision_config: parseVision(asLlava.vision_config, source) };
  checkDecoder(config.text_config, source);
  const { image_token_index: token, text_config } = config;
  if (token >= text_config.vocab_size) {
    const named = given.image_token_index === undefined && image_token_id === undefined ? 'is not named, and its default' : 'is';
    throw new NarrowsError(
      `${source}: image_token_index ${named} ${token}, which lies outside of the vocabulary of ${text_config.vocab_size}; name the id of the <image> token.`,
    );
  }
  featureLayers(config, source);
  return config;
}

/** Indices into the tower's hidden states (0 = embeddings) that the projector reads. @throws NarrowsError for one outside */
export function featureLayers(config: LlavaConfig, source = 'config.json'): number[] {
  const states = config.vision_config.num_hidden_layers + 1;
  return [config.vision_feature_layer].flat().map(layer => {
    const at = layer < 0 ? layer + states : layer;
    if (at < 0 || at >= states)
      throw new NarrowsError(`${source}: vision_feature_layer ${layer} lies outside of the ${states} hidden states of the vision tower.`);
    return at;
  });
}

/** Width of what the projector reads of a patch: the tower's, for each layer that it reads. */
export const towerWidth = (config: LlavaConfig): number => config.vision_config.hidden_size * featureLayers(config).length;

/** Tokens that one image takes. */
export function imageTokens({ vision_config: vision, vision_feature_select_strategy: strategy }: LlavaConfig): number {
  const tokens = gridSize(vision) ** 2 + (vision.model_type === 'clip_vision_model' ? 1 : 0);
  return strategy === 'default' ? tokens - 1 : tokens;
}

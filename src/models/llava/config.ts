/** @file LLaVA's config.json (LlavaForConditionalGeneration), keys verbatim, defaults as in transformers 4.57. */
import { z } from 'zod';
import { ACTIVATIONS } from '../../graph/index.ts';
import type { DecoderConfig } from '../../nn/decoder.ts';
import type { RopeScaling } from '../../nn/rope.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type CLIPVisionConfig, parseCLIPConfig } from '../clip/config.ts';
import { gridSize } from '../model-config.ts';
import { parseSiglipConfig, type SiglipVisionConfig } from '../siglip/config.ts';

const size = z.number().int().positive();
const activation = (name: string) => z.enum(Object.keys(ACTIVATIONS) as [string, ...string[]]).default(name);
const tokenId = z.number().int().nullable();

const decoderKeys = {
  num_attention_heads: size.default(32),
  num_hidden_layers: size.default(32),
  hidden_size: size.default(4096),
  hidden_act: activation('silu'),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().default(10000),
  rope_scaling: z.looseObject({}).nullish(),
  /** transformers 5 keeps theta and scaling here. */
  rope_parameters: z.looseObject({}).nullish(),
  head_dim: size.nullish(),
  tie_word_embeddings: z.boolean().default(false),
  pad_token_id: tokenId.default(null),
};

const llamaSchema = z.looseObject({
  ...decoderKeys,
  model_type: z.literal('llama'),
  vocab_size: size.default(32000),
  intermediate_size: size.default(11008),
  num_key_value_heads: size.nullish(),
  max_position_embeddings: size.default(2048),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  bos_token_id: tokenId.default(1),
  eos_token_id: z.union([tokenId, z.array(z.number().int())]).default(2),
});

const qwen2Schema = z.looseObject({
  ...decoderKeys,
  model_type: z.literal('qwen2'),
  vocab_size: size.default(151936),
  intermediate_size: size.default(22016),
  num_key_value_heads: size.nullish().default(32),
  max_position_embeddings: size.default(32768),
  use_sliding_window: z.boolean().default(false),
  bos_token_id: tokenId.default(null),
  eos_token_id: z.union([tokenId, z.array(z.number().int())]).default(null),
});

const llavaSchema = z.looseObject({
  model_type: z.literal('llava'),
  image_token_index: z.number().int().nonnegative().default(32000),
  projector_hidden_act: activation('gelu'),
  vision_feature_select_strategy: z.enum(['default', 'full']).default('default'),
  vision_feature_layer: z.union([z.number().int(), z.array(z.number().int()).min(1)]).default(-2),
  image_seq_length: size.default(576),
  multimodal_projector_bias: z.boolean().default(true),
  text_config: z.discriminatedUnion('model_type', [llamaSchema, qwen2Schema]),
});

/** The decoder's part of config.json. */
export type LlavaTextConfig = z.infer<typeof llavaSchema>['text_config'];
/** The vision tower's part of config.json, by its kind. */
export type LlavaVisionConfig =
  | (CLIPVisionConfig & { readonly model_type: 'clip_vision_model' })
  | (SiglipVisionConfig & { readonly model_type: 'siglip_vision_model' });
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
  if (isOriginalLlava(given)) throw originalLlavaError(source);
  if (given.model_type !== 'llava')
    throw new NarrowsError(`${source} is of model_type ${JSON.stringify(given.model_type)}, not "llava" (LlavaForConditionalGeneration).`);
  const text = record(given.text_config) ?? {};
  const textType = text.model_type ?? 'llama';
  if (textType !== 'llama' && textType !== 'qwen2')
    throw new NarrowsError(
      `${source}: text_config.model_type is ${JSON.stringify(textType)}; Narrows runs a LLaVA whose decoder is llama or qwen2.`,
    );
  const { image_token_id, ...rest } = given;
  const keys = { ...rest, image_token_index: given.image_token_index ?? image_token_id, text_config: { ...text, model_type: textType } };
  const result = llavaSchema.safeParse(keys);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new NarrowsError(`${source}: the key "${issue.path.join('.')}" is wrong (${issue.message}).`);
  }
  const config = { ...result.data, vision_config: parseVision(given.vision_config, source) };
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

function checkDecoder(text: LlavaTextConfig, source: string): void {
  const { hidden_size: width, num_attention_heads: heads } = text;
  const groups = text.num_key_value_heads ?? heads;
  if (!text.head_dim && width % heads)
    throw new NarrowsError(`${source}: text_config.hidden_size ${width} is not a multiple of num_attention_heads ${heads}.`);
  if (heads % groups)
    throw new NarrowsError(`${source}: text_config.num_attention_heads ${heads} is not a multiple of num_key_value_heads ${groups}.`);
  if ((text.head_dim ?? width / heads) % 2)
    throw new NarrowsError(
      `${source}: a head of the decoder is ${text.head_dim ?? width / heads} wide; rotary positions need an even width.`,
    );
  const partial = text.partial_rotary_factor ?? text.rope_parameters?.partial_rotary_factor ?? 1;
  if (partial !== 1)
    throw new NarrowsError(
      `${source}: text_config.partial_rotary_factor is ${String(partial)}; Narrows runs decoders that rotate whole heads.`,
    );
  const types = Array.isArray(text.layer_types) ? text.layer_types : [];
  const other = types.find(type => type !== 'full_attention');
  if (other !== undefined)
    throw new NarrowsError(
      `${source}: text_config.layer_types names ${JSON.stringify(other)}; Narrows runs decoders whose tokens see all earlier ones.`,
    );
  if (text.model_type === 'qwen2' && text.use_sliding_window)
    throw new NarrowsError(`${source}: text_config.use_sliding_window is true; Narrows runs decoders whose tokens see all earlier ones.`);
  ropeScaling(text, source);
}

const scalings = z.discriminatedUnion('rope_type', [
  z.object({ rope_type: z.literal('default') }),
  z.object({ rope_type: z.literal('linear'), factor: z.number().positive() }),
  z.object({
    rope_type: z.literal('llama3'),
    factor: z.number().positive(),
    low_freq_factor: z.number().positive(),
    high_freq_factor: z.number().positive(),
    original_max_position_embeddings: size,
  }),
]);

/** The scaling that `rope_scaling` (old spelling `type`) names. @throws NarrowsError for one that Narrows does not know */
function ropeScaling(text: LlavaTextConfig, source: string): RopeScaling {
  const given = text.rope_scaling ?? text.rope_parameters;
  if (!given) return { rope_type: 'default' };
  const type = given.rope_type ?? given.type ?? 'default';
  if (type !== 'default' && type !== 'linear' && type !== 'llama3')
    throw new NarrowsError(
      `${source}: text_config.rope_scaling is of type ${JSON.stringify(type)}, which Narrows does not run (default, linear and llama3 are known).`,
    );
  const result = scalings.safeParse({ ...given, rope_type: type });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new NarrowsError(`${source}: the key "text_config.rope_scaling.${issue.path.join('.')}" is wrong (${issue.message}).`);
}

/** The decoder of a LLaVA as nn/decoder.ts takes it. */
export function decoderConfig({ text_config: text }: LlavaConfig): DecoderConfig {
  const heads = text.num_attention_heads;
  const bias = text.model_type === 'llama' && text.attention_bias;
  const theta = text.rope_parameters?.rope_theta;
  return {
    ...text,
    num_key_value_heads: text.num_key_value_heads ?? heads,
    head_dim: text.head_dim ?? text.hidden_size / heads,
    rope_theta: typeof theta === 'number' ? theta : text.rope_theta,
    scaling: ropeScaling(text, 'config.json'),
    biases: { qkv: text.model_type === 'qwen2' || bias, output: bias, mlp: text.model_type === 'llama' && text.mlp_bias },
  };
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

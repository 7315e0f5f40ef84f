/** @file CLIP's config.json, keys verbatim, defaults as in transformers' CLIPTextConfig and CLIPVisionConfig. */
import { z } from 'zod';
import { ACTIVATIONS } from '../../graph/index.ts';
import { NarrowsError } from '../../system/errors.ts';
import { parseModelConfig } from '../model-config.ts';

const size = z.number().int().positive();
const activation = z.enum(Object.keys(ACTIVATIONS) as [string, ...string[]]).default('quick_gelu');

const textSchema = z.looseObject({
  vocab_size: size.default(49408),
  hidden_size: size.default(512),
  intermediate_size: size.default(2048),
  num_hidden_layers: size.default(12),
  num_attention_heads: size.default(8),
  max_position_embeddings: size.default(77),
  hidden_act: activation,
  layer_norm_eps: z.number().positive().default(1e-5),
  pad_token_id: z.number().int().nullable().default(1),
  bos_token_id: z.number().int().nullable().default(49406),
  eos_token_id: z.number().int().nullable().default(49407),
});

const visionSchema = z.looseObject({
  hidden_size: size.default(768),
  intermediate_size: size.default(3072),
  num_hidden_layers: size.default(12),
  num_attention_heads: size.default(12),
  num_channels: size.default(3),
  image_size: size.default(224),
  patch_size: size.default(32),
  hidden_act: activation,
  layer_norm_eps: z.number().positive().default(1e-5),
});

const clipSchema = z.looseObject({
  model_type: z.literal('clip'),
  projection_dim: size.default(512),
  logit_scale_init_value: z.number().default(2.6592),
  text_config: textSchema.prefault({}),
  vision_config: visionSchema.prefault({}),
});

/** The text tower's part. */
export type CLIPTextConfig = z.infer<typeof textSchema>;
/** The vision tower's part. */
export type CLIPVisionConfig = z.infer<typeof visionSchema>;
/** Keys as in config.json; unknown keys are kept. */
export type CLIPConfig = z.infer<typeof clipSchema>;

type Json = Readonly<Record<string, unknown>>;

/**
 * One section as CLIPConfig of transformers puts it together: every key of `text_config_dict` (written before 2023), its defaults included,
 * comes before those of `text_config`; a section that is null is empty.
 */
function section(json: Json, name: 'text_config' | 'vision_config', defaults: Json, source: string): unknown {
  const given = json[name] ?? {};
  const older = json[`${name}_dict`] ?? undefined;
  if (older === undefined) return given;
  if (typeof older !== 'object' || Array.isArray(older)) throw new NarrowsError(`${source}: the key "${name}_dict" must hold an object.`);
  return typeof given === 'object' ? { ...given, ...defaults, ...older } : given;
}

/** @throws NarrowsError naming the key that is wrong. */
export function parseCLIPConfig(json: unknown, source = 'config.json'): CLIPConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return parseModelConfig(clipSchema, json, source);
  const { text_config_dict: _text, vision_config_dict: _vision, ...rest } = json as Record<string, unknown>;
  const text_config = section(json as Json, 'text_config', textSchema.parse({}), source);
  const vision_config = section(json as Json, 'vision_config', visionSchema.parse({}), source);
  return parseModelConfig(clipSchema, { ...rest, text_config, vision_config }, source);
}

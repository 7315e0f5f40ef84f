/** @file The config.json of dual encoders of two separate towers, keys verbatim: VisionTextDualEncoderModel and ChineseCLIPModel of transformers. */
import { z } from 'zod';
import { ACTIVATIONS } from '../../graph/index.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type BertConfig, parseBertConfig } from '../bert/config.ts';

const size = z.number().int().positive();
const activation = z.enum(Object.keys(ACTIVATIONS) as [string, ...string[]]);

/** What CLIP's image tower and a plain ViT have both. */
const tower = (defaults: { readonly hidden_act: string; readonly layer_norm_eps: number; readonly patch_size: number }) => ({
  hidden_size: size.default(768),
  intermediate_size: size.default(3072),
  num_hidden_layers: size.default(12),
  num_attention_heads: size.default(12),
  num_channels: size.default(3),
  image_size: size.default(224),
  patch_size: size.default(defaults.patch_size),
  hidden_act: activation.default(defaults.hidden_act),
  layer_norm_eps: z.number().positive().default(defaults.layer_norm_eps),
});

const clipSchema = z.looseObject({
  model_type: z.enum(['clip_vision_model', 'chinese_clip_vision_model']),
  ...tower({ hidden_act: 'quick_gelu', layer_norm_eps: 1e-5, patch_size: 32 }),
});
const vitSchema = z.looseObject({
  model_type: z.literal('vit'),
  ...tower({ hidden_act: 'gelu', layer_norm_eps: 1e-12, patch_size: 16 }),
  qkv_bias: z.boolean().default(true),
  pooler_act: z.string().default('tanh'),
  pooler_output_size: size.nullish(),
});

/** A plain ViT's part. */
export type ViTConfig = z.infer<typeof vitSchema>;
/** An image tower's part. */
export type SeparateVisionConfig = z.infer<typeof clipSchema> | ViTConfig;

/** Keys as in config.json. */
export interface SeparateTowersConfig {
  readonly model_type: 'vision-text-dual-encoder' | 'chinese_clip';
  readonly projection_dim: number;
  readonly vision_config: SeparateVisionConfig;
  readonly text_config: BertConfig;
}

const wholeSchema = z.looseObject({ model_type: z.string(), projection_dim: size.default(512) });

/** The sections' kinds where config.json does not name them. */
const OWN: Readonly<Record<SeparateTowersConfig['model_type'], { readonly vision: string; readonly text: string }>> = {
  'vision-text-dual-encoder': { vision: '', text: '' },
  chinese_clip: { vision: 'chinese_clip_vision_model', text: 'chinese_clip_text_model' },
};

function checked<T>(schema: z.ZodType<T>, json: unknown, source: string, before = ''): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new NarrowsError(`${source}: the key "${before}${issue.path.join('.')}" is wrong (${issue.message}).`);
}

/** @throws NarrowsError naming the key that is wrong, or a tower that is not computed */
export function parseSeparateTowers(json: Readonly<Record<string, unknown>>, source: string): SeparateTowersConfig {
  const { projection_dim } = checked(wholeSchema, json, source);
  const model_type = json.model_type as SeparateTowersConfig['model_type'];
  const own = OWN[model_type];
  const section = (key: 'vision_config' | 'text_config', kind: string): Record<string, unknown> => {
    const given = json[key] ?? {};
    if (typeof given !== 'object' || Array.isArray(given)) throw new NarrowsError(`${source}: the key "${key}" must hold an object.`);
    return { ...(kind ? { model_type: kind } : {}), ...given };
  };
  const vision = section('vision_config', own.vision);
  const type = vision.model_type;
  if (type !== 'vit' && type !== 'clip_vision_model' && type !== 'chinese_clip_vision_model')
    throw new NarrowsError(
      `${source}: vision_config.model_type is ${JSON.stringify(type)}; Narrows runs dual encoders whose image tower is clip_vision_model or vit.`,
    );
  const vision_config =
    type === 'vit' ? checked(vitSchema, vision, source, 'vision_config.') : checked(clipSchema, vision, source, 'vision_config.');
  return { model_type, projection_dim, vision_config, text_config: parseBertConfig(section('text_config', own.text), source) };
}

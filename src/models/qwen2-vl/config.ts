/** @file Config.json of Qwen2-VL and Qwen2.5-VL, keys verbatim (text keys at the top, or under text_config), defaults as in transformers 4.57. */
import { z } from 'zod';
import { ACTIVATIONS } from '../../graph/index.ts';
import { NarrowsError } from '../../system/errors.ts';

type Json = Readonly<Record<string, unknown>>;

const size = z.number().int().positive();
const activation = (name: string) => z.enum(Object.keys(ACTIVATIONS) as [string, ...string[]]).default(name);
const shared = {
  depth: size.default(32),
  patch_size: size.default(14),
  spatial_merge_size: size.default(2),
  temporal_patch_size: size.default(2),
};
const two = z.looseObject({
  ...shared,
  embed_dim: size.default(1280),
  hidden_size: size.default(3584),
  hidden_act: activation('quick_gelu'),
  mlp_ratio: z.number().positive().default(4),
  num_heads: size.default(16),
});
const twoFive = z.looseObject({
  ...shared,
  hidden_size: size.default(3584),
  hidden_act: activation('silu'),
  intermediate_size: size.default(3420),
  num_heads: size.default(16),
  window_size: size.default(112),
  out_hidden_size: size.default(3584),
  fullatt_block_indexes: z.array(z.number().int().nonnegative()).default([7, 15, 23, 31]),
});

/** The tower, by LLaVA's names of what both have. */
export interface QwenVisionConfig {
  readonly model_type: 'qwen2_vl' | 'qwen2_5_vl';
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_channels: number;
  readonly patch_size: number;
  /** Edge of a picture of 16 × 16 tokens, for what must name a size; pictures may have any. */
  readonly image_size: number;
  readonly hidden_act: string;
  readonly layer_norm_eps: number;
  readonly spatial_merge_size: number;
  readonly temporal_patch_size: number;
  /** Qwen2.5-VL: edge of a window in pixels, and the blocks that see whole pictures. */
  readonly window_size?: number;
  readonly fullatt_block_indexes?: readonly number[];
}

const record = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;

/** @throws NarrowsError in one sentence for a key that is wrong, or a merger that does not fit the decoder */
export function qwenKeys(given: Json, source: string): Record<string, unknown> {
  const type = given.model_type as QwenVisionConfig['model_type'];
  const nested = record(given.text_config);
  const { vision_config: vision, text_config: _, ...flat } = given;
  const text: Json = nested ? { tie_word_embeddings: given.tie_word_embeddings ?? false, ...nested } : flat;
  const result = (type === 'qwen2_vl' ? two : twoFive).safeParse(record(vision) ?? {});
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new NarrowsError(`${source}: the key "vision_config.${issue.path.join('.')}" is wrong (${issue.message}).`);
  }
  const v = result.data as Record<string, unknown> & z.infer<typeof two> & z.infer<typeof twoFive>;
  const width = type === 'qwen2_vl' ? v.embed_dim : v.hidden_size;
  const out = type === 'qwen2_vl' ? v.hidden_size : v.out_hidden_size;
  const scaling = record(text.rope_scaling ?? text.rope_parameters);
  const sections = scaling?.mrope_section;
  if (!Array.isArray(sections) || sections.length !== 3 || !sections.every(n => Number.isInteger(n) && n >= 0))
    throw new NarrowsError(
      `${source}: rope_scaling has no "mrope_section" of three numbers, by which ${type} gives tokens their positions.`,
    );
  if (text.hidden_size !== undefined && out !== text.hidden_size)
    throw new NarrowsError(
      `${source}: the merger gives features of width ${out}, but the decoder takes ${String(text.hidden_size)} (hidden_size); they do not belong together.`,
    );
  const tower: QwenVisionConfig = {
    model_type: type,
    hidden_size: width,
    intermediate_size: type === 'qwen2_vl' ? Math.trunc(v.embed_dim * v.mlp_ratio) : v.intermediate_size,
    num_hidden_layers: v.depth,
    num_attention_heads: v.num_heads,
    num_channels: 3,
    patch_size: v.patch_size,
    image_size: v.patch_size * v.spatial_merge_size * 16,
    hidden_act: v.hidden_act,
    layer_norm_eps: 1e-6,
    spatial_merge_size: v.spatial_merge_size,
    temporal_patch_size: v.temporal_patch_size,
    ...(type === 'qwen2_vl' ? {} : { window_size: v.window_size, fullatt_block_indexes: v.fullatt_block_indexes }),
  };
  return {
    model_type: type,
    image_token_index: given.image_token_id ?? text.image_token_id ?? 151655,
    vision_feature_layer: -1,
    vision_feature_select_strategy: 'full',
    ...(given.bottleneck_config === undefined ? {} : { bottleneck_config: given.bottleneck_config }),
    ...(given.eos_token_id === undefined ? {} : { eos_token_id: given.eos_token_id }),
    vision_config: tower,
    text_config: {
      rms_norm_eps: 1e-5,
      rope_theta: 1_000_000,
      ...text,
      model_type: 'qwen2',
      rope_scaling: undefined,
      rope_parameters: undefined,
      mrope_section: sections,
    },
  };
}

/** @file What the config.json of every image–text model has in common, and how one is checked. */
import type { z } from 'zod';
import type { TensorEntry } from '../checkpoints/safetensors.ts';
import { requireBlocks } from '../nn/fit-entries.ts';
import { NarrowsError } from '../system/errors.ts';

/** Keys that CLIP's and SigLIP's config.json share, verbatim. */
export interface ModelConfig {
  readonly model_type: string;
  readonly text_config: {
    readonly vocab_size: number;
    readonly hidden_size: number;
    readonly num_hidden_layers: number;
    readonly num_attention_heads: number;
    readonly max_position_embeddings: number;
    readonly hidden_act: string;
    readonly pad_token_id: number | null;
  };
  readonly vision_config: {
    readonly hidden_size: number;
    readonly num_hidden_layers: number;
    readonly num_attention_heads: number;
    readonly num_channels: number;
    readonly image_size: number;
    readonly patch_size: number;
    readonly hidden_act: string;
  };
}

/** Patches per side of the image that the config names. */
export const gridSize = (config: Pick<ModelConfig['vision_config'], 'image_size' | 'patch_size'>): number =>
  Math.floor(config.image_size / config.patch_size);

/** A config whose sections that are null are left out, as transformers takes their defaults. */
export function withoutNullSections(json: unknown): unknown {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return json;
  const isSection = (key: string): boolean => key === 'text_config' || key === 'vision_config';
  return Object.fromEntries(Object.entries(json).filter(([key, value]) => !(isSection(key) && value === null)));
}

/** See `requireBlocks`; both sections. */
export const requireTowerBlocks = (
  { text_config: text, vision_config: vision }: Pick<ModelConfig, 'text_config' | 'vision_config'>,
  entries: ReadonlyMap<string, TensorEntry>,
  source: string,
): void =>
  requireBlocks(
    { 'text_config.num_hidden_layers': text.num_hidden_layers, 'vision_config.num_hidden_layers': vision.num_hidden_layers },
    entries,
    source,
  );

/** @throws NarrowsError naming the key that is wrong. */
export function parseModelConfig<C extends ModelConfig>(schema: z.ZodType<C>, json: unknown, source: string): C {
  const result = schema.safeParse(json);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new NarrowsError(`${source}: the key "${issue.path.join('.')}" is wrong (${issue.message}).`);
  }
  for (const name of ['text_config', 'vision_config'] as const) {
    const { hidden_size: width, num_attention_heads: heads } = result.data[name];
    if (width % heads) throw new NarrowsError(`${source}: ${name}.hidden_size ${width} is not a multiple of num_attention_heads ${heads}.`);
  }
  const { image_size, patch_size, num_channels: channels } = result.data.vision_config;
  if (channels !== 3)
    throw new NarrowsError(
      `${source}: vision_config.num_channels is ${channels}; Narrows runs models whose pictures have the three channels red, green and blue.`,
    );
  if (image_size < patch_size)
    throw new NarrowsError(`${source}: vision_config.image_size ${image_size} is smaller than patch_size ${patch_size}.`);
  return result.data;
}

/** @file LLaVA-Mini's config.json: a LLaVA's with the keys of its two modules, or the flat one of the published checkpoint. */
import { z } from 'zod';
import { NarrowsError } from '../../system/errors.ts';
import { featureLayers, imageTokens, type LlavaConfig, parseLlavaConfig } from '../llava/config.ts';

const miniSchema = z.object({
  /** C: an image becomes C × C tokens (name and meaning as in the official code; the paper's models have 1, its 672-pixel one 8). */
  compressor_size: z.number().int().positive().default(1),
  /** Blocks before the decoder (name and default as in the official code; the paper's N_fusion = 4). 0: compression only. */
  prefusion_layer_num: z.number().int().nonnegative().default(4),
  /** What is computed: the paper's equations, or the official code's deviations from them, which its checkpoint needs (see compression.ts). */
  llava_mini_form: z.enum(['paper', 'checkpoint']).default('paper'),
});

/** A LLaVA's config with LLaVA-Mini's keys; `model_type` stays "llava", since all of LLaVA's code reads it. */
export type LlavaMiniConfig = LlavaConfig & z.infer<typeof miniSchema>;

/** Heads of the official code's compressor (not in its config). */
export const COMPRESSOR_HEADS = 8;

/** The image token of the published checkpoint: in no vocabulary, its code joins ids around it. */
const OUTSIDE = -200;

/** Towers that the flat config names without describing them (vision_config as in transformers). */
const TOWERS: Readonly<Record<string, Record<string, unknown>>> = {
  'openai/clip-vit-large-patch14-336': { image_size: 336 },
  'openai/clip-vit-large-patch14': { image_size: 224 },
};
const VIT_LARGE = { patch_size: 14, hidden_size: 1024, intermediate_size: 4096, num_hidden_layers: 24, num_attention_heads: 16 };

/**
 * Reads either format. `model_type` "llava_mini": LLaVA's nested keys (see llava/config.ts) and those above. "llava_mini_llama": the flat
 * config of the published checkpoint (Llama's keys together with `mm_…`), always of the form "checkpoint".
 * @throws NarrowsError naming the key that is wrong, or what Narrows does not run, in one sentence
 */
export function parseLlavaMiniConfig(json: unknown, source = 'config.json'): LlavaMiniConfig {
  const given = typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};
  const { model_type: type } = given;
  if (type !== 'llava_mini' && type !== 'llava_mini_llama')
    throw new NarrowsError(`${source} is of model_type ${JSON.stringify(type)}, not "llava_mini" or "llava_mini_llama".`);
  const keys = type === 'llava_mini' ? given : nested(given, source);
  const result = miniSchema.safeParse(keys);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new NarrowsError(`${source}: the key "${issue.path.join('.')}" is wrong (${issue.message}).`);
  }
  const llava = parseLlavaConfig({ ...keys, model_type: 'llava' }, source);
  const config = { ...llava, ...result.data, ...(type === 'llava_mini_llama' ? { image_token_index: OUTSIDE } : {}) };
  check(config, source);
  return config;
}

/** The flat config in LLaVA's nested form. */
function nested(flat: Readonly<Record<string, unknown>>, source: string): Record<string, unknown> {
  const refuse = (key: string, runs: string): never => {
    throw new NarrowsError(`${source}: ${key} is ${JSON.stringify(flat[key])}; Narrows runs a LLaVA-Mini with ${runs}.`);
  };
  if ((flat.mm_projector_type ?? 'mlp2x_gelu') !== 'mlp2x_gelu') refuse('mm_projector_type', 'mlp2x_gelu');
  if (Number(flat.resolution_ratio ?? 1) !== 1) refuse('resolution_ratio', 'a ratio of 1 (images are not cut into parts)');
  const feature = flat.mm_vision_select_feature ?? 'patch';
  if (feature !== 'patch') refuse('mm_vision_select_feature', '"patch" (its positions are those of a square of patches)');
  const name = String(flat.mm_vision_tower);
  const vision = flat.vision_config ?? (Object.hasOwn(TOWERS, name) ? { ...VIT_LARGE, ...TOWERS[name] } : undefined);
  if (!vision)
    refuse('mm_vision_tower', `${Object.keys(TOWERS).join(' or ')}; another tower's config can be written there as vision_config`);
  return {
    // The default of the official code where the key is missing.
    compressor_size: flat.compressor_size ?? 2,
    prefusion_layer_num: flat.prefusion_layer_num,
    llava_mini_form: 'checkpoint',
    // Stands in while LLaVA's keys are checked.
    image_token_index: 0,
    vision_feature_layer: flat.mm_vision_select_layer ?? -2,
    vision_feature_select_strategy: 'default',
    text_config: { ...flat, model_type: 'llama' },
    vision_config: vision,
  };
}

/** N: an image is N × N patches before compression. */
export const visionGrid = (config: LlavaConfig): number => Math.sqrt(imageTokens(config));

/** Tokens that one image takes in the decoder: C². */
export const compressedTokens = (config: LlavaMiniConfig): number => config.compressor_size ** 2;

/** Width of what is compressed: projected tokens in the paper's form, the tower's in the checkpoint's. */
export const compressorWidth = (config: LlavaMiniConfig): number =>
  config.llava_mini_form === 'paper' ? config.text_config.hidden_size : config.vision_config.hidden_size * featureLayers(config).length;

function check(config: LlavaMiniConfig, source: string): void {
  if (!Number.isInteger(visionGrid(config)))
    throw new NarrowsError(
      `${source}: an image gives ${imageTokens(config)} vision tokens, which fill no square, but LLaVA-Mini's positions need one; choose the vision_feature_select_strategy ("default" for CLIP, "full" for SigLIP) that keeps only the patches.`,
    );
  const width = compressorWidth(config);
  const multiple = config.llava_mini_form === 'paper' ? 4 : Math.max(4, COMPRESSOR_HEADS);
  if (width % multiple)
    throw new NarrowsError(`${source}: LLaVA-Mini compresses tokens of width ${width}, which is no multiple of ${multiple}.`);
}

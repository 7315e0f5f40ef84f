/** @file SmolVLM's and Idefics3's config.json (SmolVLMForConditionalGeneration), keys verbatim, defaults as in transformers 4.57. */
import { z } from 'zod';
import { NarrowsError } from '../../system/errors.ts';

type Json = Readonly<Record<string, unknown>>;

/** Idefics3VisionConfig's defaults, which are not SigLIP's. */
const VISION = {
  hidden_size: 1152,
  intermediate_size: 3072,
  num_hidden_layers: 12,
  num_attention_heads: 16,
  image_size: 224,
  patch_size: 32,
};

const schema = z.looseObject({
  /** Edge of the square of patches that becomes one token. */
  scale_factor: z.number().int().positive().default(2),
  image_token_id: z.number().int().nonnegative().default(128257),
});

const record = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;

/** Edge of the square of patches that becomes one token. */
export const scaleFactor = (config: Json): number => config.scale_factor as number;

/**
 * The config in LLaVA's terms: the whole tower with its last norm is read, and an image token stands for `scale_factor`² patches of a tile.
 * @throws NarrowsError in one sentence for a key that is wrong, patches that no such squares fill, or a resampler (Idefics2's connector)
 */
export function smolvlmKeys(given: Json, source: string): Record<string, unknown> {
  const result = schema.safeParse(given);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new NarrowsError(`${source}: the key "${issue.path.join('.')}" is wrong (${issue.message}).`);
  }
  const { scale_factor: factor, image_token_id } = result.data;
  const vision: Json = { ...VISION, ...record(given.vision_config) };
  const text = record(given.text_config) ?? { rms_norm_eps: 1e-5 };
  if (text.use_resampler === true)
    throw new NarrowsError(
      `${source}: text_config.use_resampler is true, which is Idefics2's connector; Narrows runs ${String(given.model_type)} with pixel shuffle.`,
    );
  const side = Math.floor(Number(vision.image_size) / Number(vision.patch_size));
  if (side % factor)
    throw new NarrowsError(
      `${source}: a tile has ${side} x ${side} patches, which squares of ${factor} x ${factor} (scale_factor) do not fill.`,
    );
  return {
    ...given,
    ...{ scale_factor: factor, image_token_index: image_token_id, image_seq_length: (side / factor) ** 2 },
    text_config: text,
    vision_config: { ...vision, model_type: 'siglip_vision_model' },
    ...{ vision_feature_layer: -1, vision_feature_select_strategy: 'full', multimodal_projector_bias: false },
  };
}

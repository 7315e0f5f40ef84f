/** @file SigLIP's config.json (SigLIP 2 of fixed resolution has the same), keys verbatim, defaults as in transformers' SiglipConfig. */
import { z } from 'zod';
import { ACTIVATIONS } from '../../graph/index.ts';
import { NarrowsError } from '../../system/errors.ts';
import { parseModelConfig, withoutNullSections } from '../model-config.ts';

const size = z.number().int().positive();
const activation = z.enum(Object.keys(ACTIVATIONS) as [string, ...string[]]).default('gelu_pytorch_tanh');

/** The text tower's keys, SigLIP 2's too. */
export const siglipTextSchema = z.looseObject({
  vocab_size: size.default(32000),
  hidden_size: size.default(768),
  intermediate_size: size.default(3072),
  num_hidden_layers: size.default(12),
  num_attention_heads: size.default(12),
  max_position_embeddings: size.default(64),
  hidden_act: activation,
  layer_norm_eps: z.number().positive().default(1e-6),
  pad_token_id: z.number().int().nullable().default(1),
  bos_token_id: z.number().int().nullable().default(49406),
  eos_token_id: z.number().int().nullable().default(49407),
  /** Width of the shared space; the tower's own width where it is absent. */
  projection_size: size.nullish(),
});

const visionSchema = z.looseObject({
  hidden_size: size.default(768),
  intermediate_size: size.default(3072),
  num_hidden_layers: size.default(12),
  num_attention_heads: size.default(12),
  num_channels: size.default(3),
  image_size: size.default(224),
  patch_size: size.default(16),
  hidden_act: activation,
  layer_norm_eps: z.number().positive().default(1e-6),
  vision_use_head: z.boolean().default(true),
});

const siglipSchema = z.looseObject({
  model_type: z.literal('siglip'),
  text_config: siglipTextSchema.prefault({}),
  vision_config: visionSchema.prefault({}),
});

/** The text tower's part. */
export type SiglipTextConfig = z.infer<typeof siglipTextSchema>;
/** The vision tower's part. */
export type SiglipVisionConfig = z.infer<typeof visionSchema>;
/** Keys as in config.json; unknown keys are kept. */
export type SiglipConfig = z.infer<typeof siglipSchema>;

/** Width of the shared space: of the text's head, which must be the image tower's own width. */
export const sharedWidth = ({ text_config: text }: SiglipConfig): number => text.projection_size ?? text.hidden_size;

/** @throws NarrowsError naming the key that is wrong */
export function parseSiglipConfig(json: unknown, source = 'config.json'): SiglipConfig {
  const config = parseModelConfig(siglipSchema, withoutNullSections(json), source);
  const { hidden_size: width, vision_use_head: head } = config.vision_config;
  if (!head)
    throw new NarrowsError(`${source}: vision_config.vision_use_head is false; without its pooling head a SigLIP has no image embedding.`);
  if (sharedWidth(config) !== width)
    throw new NarrowsError(
      `${source}: text_config.projection_size ${sharedWidth(config)} is not vision_config.hidden_size ${width}, so texts and images cannot be compared.`,
    );
  return config;
}

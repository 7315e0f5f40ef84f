/**
 * @file SigLIP 2's NaFlex models (arXiv 2502.14786; Siglip2Model of transformers) as a family of two towers: pictures keep their shape, as
 * many patches as fit. A picture goes through with its own patches only, which equals transformers' padding to a fixed number behind a mask.
 */
import { z } from 'zod';
import { ACTIVATIONS } from '../../graph/index.ts';
import { readImageRules } from '../../inputs/image/image-rules.ts';
import { ImageProcessor } from '../../inputs/image/processor.ts';
import { NarrowsError } from '../../system/errors.ts';
import { siglipTextSchema } from '../siglip/config.ts';
import { siglipTokenizer } from '../siglip/tokenizer.ts';
import type { OpenedTowers, TowersFamily } from '../towers/load.ts';
import type { TowersConfig } from '../towers/spec.ts';
import type { StoredName } from '../towers/stored.ts';

const size = z.number().int().positive();
const visionSchema = z.looseObject({
  hidden_size: size.default(768),
  intermediate_size: size.default(3072),
  num_hidden_layers: size.default(12),
  num_attention_heads: size.default(12),
  num_channels: size.default(3),
  /** Rows of the position table, a square; not the number of a picture's patches. */
  num_patches: size.default(256),
  patch_size: size.default(16),
  hidden_act: z.enum(Object.keys(ACTIVATIONS) as [string, ...string[]]).default('gelu_pytorch_tanh'),
  layer_norm_eps: z.number().positive().default(1e-6),
  vision_use_head: z.boolean().default(true),
});
const schema = z.looseObject({
  model_type: z.literal('siglip2'),
  text_config: siglipTextSchema.prefault({}),
  vision_config: visionSchema.prefault({}),
});

/** Probe, queries, keys and values of the head stand in one matrix (torch.nn.MultiheadAttention). */
const where: StoredName = name => {
  const head = /^vision_model\.head\.attention\.([qkv])_proj\.(weight|bias)$/.exec(name);
  return head ? { name: `vision_model.head.attention.in_proj_${head[2]}`, part: ['qkv'.indexOf(head[1]), 3] } : { name };
};

/** @throws NarrowsError naming the key that is wrong */
export function describeNaflex(json: unknown, file: string): OpenedTowers {
  const result = schema.safeParse(json);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new NarrowsError(`${file}: the key "${issue.path.join('.')}" is wrong (${issue.message}).`);
  }
  const { vision_config: vision, text_config: text } = result.data;
  const side = Math.sqrt(vision.num_patches);
  if (!Number.isInteger(side))
    throw new NarrowsError(`${file}: vision_config.num_patches is ${vision.num_patches}, which is no square number.`);
  if (!vision.vision_use_head)
    throw new NarrowsError(`${file}: vision_config.vision_use_head is false; without its pooling head a SigLIP has no image embedding.`);
  const out = text.projection_size ?? text.hidden_size;
  if (out !== vision.hidden_size)
    throw new NarrowsError(
      `${file}: text_config.projection_size ${out} is not vision_config.hidden_size ${vision.hidden_size}, so texts and images cannot be compared.`,
    );
  const config: TowersConfig = {
    model_type: 'siglip2',
    projection_dim: out,
    logit_bias: true,
    vision_config: {
      ...vision,
      image_size: side * vision.patch_size,
      class_token: false,
      patch_bias: true,
      patch_layout: 'channels_last',
      position_resize: 'bilinear_antialias',
      pre_norm: false,
      pooling: 'attention',
      final_norm: 'tokens',
      head: [],
    },
    text_config: {
      ...text,
      position_offset: 0,
      position_rows: text.max_position_embeddings,
      type_rows: 0,
      embedding_norm: false,
      causal: false,
      filled: true,
      pooling: 'last',
      final_norm: true,
      head: [{ name: 'text_model.head', out, bias: true }],
    },
  };
  return { config, where, warnings: [] };
}

/** SigLIP 2, NaFlex. */
export const NAFLEX: TowersFamily = {
  file: 'config.json',
  open: describeNaflex,
  async processor({ config }, files, onWarning) {
    const { image_size: edge, patch_size: patch } = config.vision_config;
    const { json, file } = await readImageRules(files, { type: 'Siglip2ImageProcessor', size: edge }, onWarning);
    const processor = ImageProcessor.fromConfig(json, { file, type: 'Siglip2ImageProcessor', onWarning });
    if (processor.config.max_num_patches !== undefined && processor.config.patch_size !== patch)
      throw new NarrowsError(
        `${file}: "patch_size" is ${processor.config.patch_size}, but the model's patches are of ${patch}; set it to that.`,
      );
    return processor;
  },
  tokenizer: siglipTokenizer,
};

/** @file OpenCLIP's open_clip_config.json, keys verbatim, defaults as in open_clip's CLIPVisionCfg, CLIPTextCfg and PreprocessCfg (open_clip 3.3). */
import { z } from 'zod';
import { NarrowsError } from '../../system/errors.ts';

const size = z.number().int().positive();
const square = z.union([size, z.tuple([size, size])]);
const settings = z.record(z.string(), z.unknown()).nullish();

/** Keys of a block that is none of the plain ones, in either tower. */
const BLOCK = {
  block_type: z.string().nullish(),
  qk_norm: z.boolean().default(false),
  scaled_cosine_attn: z.boolean().default(false),
  scale_heads: z.boolean().default(false),
  scale_attn_inner: z.boolean().default(false),
  scale_attn: z.boolean().default(false),
  scale_fc: z.boolean().default(false),
} as const;
const SHARED = {
  mlp_ratio: z.number().positive().default(4),
  ls_init_value: z.number().nullish(),
  act_kwargs: settings,
  norm_kwargs: settings,
  ...BLOCK,
};

const visionSchema = z.looseObject({
  ...SHARED,
  layers: z.union([size, z.array(size)]).default(12),
  width: size.default(768),
  head_width: size.default(64),
  patch_size: square.default(16),
  image_size: square.default(224),
  attentional_pool: z.union([z.boolean(), z.string()]).default(false),
  no_ln_pre: z.boolean().default(false),
  pos_embed_type: z.string().default('learnable'),
  final_ln_after_pool: z.boolean().default(false),
  pool_type: z.enum(['tok', 'avg', 'none']).default('tok'),
  timm_model_name: z.string().nullish(),
  timm_pool: z.string().default('avg'),
  timm_proj: z.string().default('linear'),
  timm_proj_bias: z.boolean().default(false),
});

const textSchema = z.looseObject({
  ...SHARED,
  context_length: size.default(77),
  vocab_size: size.default(49408),
  hf_tokenizer_name: z.string().nullish(),
  tokenizer_mode: z.string().nullish(),
  tokenizer_kwargs: settings,
  width: size.default(512),
  heads: size.default(8),
  layers: size.default(12),
  embed_cls: z.boolean().default(false),
  pad_id: z.number().int().default(0),
  eos_id: z.number().int().default(2),
  no_causal_mask: z.boolean().default(false),
  pool_type: z.enum(['first', 'last', 'argmax', 'eos', 'none']).default('argmax'),
  proj_bias: z.boolean().default(false),
  proj_type: z.string().default('linear'),
  hf_model_name: z.string().nullish(),
  hf_proj_type: z.string().nullable().default('mlp'),
  hf_pooler_type: z.string().nullish().default('mean_pooler'),
});

const channels = z.union([z.number(), z.array(z.number()).length(3)]);
const preprocessSchema = z.looseObject({
  size: z.union([square, z.array(size).length(3)]).nullish(),
  mode: z.string().default('RGB'),
  mean: channels.nullish(),
  std: channels.nullish(),
  interpolation: z.enum(['bicubic', 'bilinear', 'random']).nullish(),
  resize_mode: z.enum(['shortest', 'longest', 'squash']).nullish(),
  fill_color: z.number().int().min(0).max(255).default(0),
});

const schema = z.looseObject({
  model_cfg: z.looseObject({
    embed_dim: size,
    vision_cfg: visionSchema,
    text_cfg: textSchema,
    quick_gelu: z.boolean().default(false),
    custom_text: z.boolean().default(false),
    init_logit_bias: z.number().nullish(),
    multimodal_cfg: z.unknown().optional(),
  }),
  preprocess_cfg: preprocessSchema.prefault({}),
});

/** The image tower's part. */
export type OpenClipVisionCfg = z.infer<typeof visionSchema>;
/** The text tower's part. */
export type OpenClipTextCfg = z.infer<typeof textSchema>;
/** How pictures are made ready. */
export type OpenClipPreprocessCfg = z.infer<typeof preprocessSchema>;
/** Keys as in open_clip_config.json; unknown keys are kept. */
export type OpenClipConfig = z.infer<typeof schema>;

/** What of a block is not computed. */
function refuseBlock(cfg: OpenClipVisionCfg | OpenClipTextCfg, where: string, source: string): void {
  const odd = (Object.keys(BLOCK) as (keyof typeof BLOCK)[]).find(key => cfg[key] && cfg[key] !== 'default');
  if (odd)
    throw new NarrowsError(
      `${source}: ${where}.${odd} asks for a block of open_clip that Narrows does not compute; take a model of plain blocks.`,
    );
}

/**
 * Reads a config. @throws NarrowsError naming the key that is wrong, or what of the model is not computed
 */
export function parseOpenClipConfig(json: unknown, source = 'open_clip_config.json'): OpenClipConfig {
  const result = schema.safeParse(json);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new NarrowsError(`${source}: the key "${issue.path.join('.')}" is wrong (${issue.message}).`);
  }
  const { vision_cfg: vision, text_cfg: text, multimodal_cfg: more } = result.data.model_cfg;
  const refuse = (problem: string): never => {
    throw new NarrowsError(`${source}: ${problem}, which Narrows does not compute; take a CLIP whose towers are plain transformers.`);
  };
  if (more !== undefined || text.embed_cls) refuse('the model is a CoCa (multimodal_cfg or text_cfg.embed_cls)');
  if (Array.isArray(vision.layers)) refuse('vision_cfg.layers is a list, so the image tower is a ResNet');
  if (vision.attentional_pool) refuse('vision_cfg.attentional_pool is on');
  if (vision.pool_type === 'none' || text.pool_type === 'none') refuse('a pool_type is "none"');
  if (text.tokenizer_mode) refuse(`text_cfg.tokenizer_mode is "${text.tokenizer_mode}"`);
  refuseBlock(vision, 'vision_cfg', source);
  refuseBlock(text, 'text_cfg', source);
  return result.data;
}

/** The edge of a square given as a number or a pair. @throws NarrowsError where the two differ */
export function edgeOf(value: number | readonly number[], key: string, source: string): number {
  if (typeof value === 'number') return value;
  const [height, width] = value.slice(-2);
  if (height !== width)
    throw new NarrowsError(`${source}: ${key} is ${JSON.stringify(value)}; Narrows runs models of square pictures and patches.`);
  return height;
}

/** @file The decoder's part of an answering model's config.json: Llama, Mistral or Qwen2, keys verbatim, defaults as in transformers 4.57. */
import { z } from 'zod';
import { ACTIVATIONS } from '../../graph/index.ts';
import type { DecoderConfig } from '../../nn/decoder.ts';
import type { RopeScaling } from '../../nn/rope.ts';
import { NarrowsError } from '../../system/errors.ts';

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

/** Llama without biases; its default window is refused (`checkDecoder`). */
const mistralSchema = z.looseObject({
  ...decoderKeys,
  model_type: z.literal('mistral'),
  vocab_size: size.default(32000),
  intermediate_size: size.default(14336),
  num_key_value_heads: size.nullish().default(8),
  max_position_embeddings: size.default(131072),
  sliding_window: size.nullable().default(4096),
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

/** Every decoder that is run. */
export const textSchema = z.discriminatedUnion('model_type', [llamaSchema, mistralSchema, qwen2Schema]);
/** The decoder's part of config.json. */
export type LlavaTextConfig = z.infer<typeof textSchema>;

/** @throws NarrowsError in one sentence for a decoder that Narrows does not run */
export function checkDecoder(text: LlavaTextConfig, source: string): void {
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
  if (text.model_type === 'mistral' && text.sliding_window !== null && text.sliding_window < text.max_position_embeddings)
    throw new NarrowsError(
      `${source}: text_config.sliding_window is ${text.sliding_window}; Narrows runs decoders whose tokens see all earlier ones.`,
    );
  const sections = Array.isArray(text.mrope_section) ? (text.mrope_section as number[]) : undefined;
  const half = (text.head_dim ?? width / heads) / 2;
  if (sections && sections.reduce((a, b) => a + b, 0) !== half)
    throw new NarrowsError(`${source}: mrope_section ${JSON.stringify(sections)} does not add up to the ${half} frequencies of a head.`);
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
export function decoderConfig({ text_config: text }: { readonly text_config: LlavaTextConfig }): DecoderConfig {
  const heads = text.num_attention_heads;
  const bias = text.model_type === 'llama' && text.attention_bias;
  const theta = text.rope_parameters?.rope_theta;
  return {
    ...text,
    ...(Array.isArray(text.mrope_section) ? { mrope_section: text.mrope_section as number[] } : { mrope_section: undefined }),
    num_key_value_heads: text.num_key_value_heads ?? heads,
    head_dim: text.head_dim ?? text.hidden_size / heads,
    rope_theta: typeof theta === 'number' ? theta : text.rope_theta,
    scaling: ropeScaling(text, 'config.json'),
    biases: { qkv: text.model_type === 'qwen2' || bias, output: bias, mlp: text.model_type === 'llama' && text.mlp_bias },
  };
}

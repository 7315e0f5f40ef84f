/** @file The config of a BERT-like text tower, keys verbatim, defaults as in transformers' BertConfig, RobertaConfig and their kin. */
import { z } from 'zod';
import { ACTIVATIONS } from '../../graph/index.ts';
import { NarrowsError } from '../../system/errors.ts';

const size = z.number().int().positive();

/** The kinds that are computed, with the rows of the position table before the first token's. */
const FIRST_POSITION: Readonly<Record<string, 0 | 2>> = { bert: 0, chinese_clip_text_model: 0, roberta: 2, 'xlm-roberta': 2, camembert: 2 };
/** Their `model_type`s. */
export const BERT_TYPES: readonly string[] = Object.keys(FIRST_POSITION);

const schema = z.looseObject({
  model_type: z.string(),
  vocab_size: size.default(30522),
  hidden_size: size.default(768),
  num_hidden_layers: size.default(12),
  num_attention_heads: size.default(12),
  intermediate_size: size.default(3072),
  hidden_act: z.enum(Object.keys(ACTIVATIONS) as [string, ...string[]]).default('gelu'),
  max_position_embeddings: size.default(512),
  type_vocab_size: z.number().int().min(0).default(2),
  layer_norm_eps: z.number().positive().default(1e-12),
  pad_token_id: z.number().int().nullable().default(0),
  position_embedding_type: z.string().default('absolute'),
  is_decoder: z.boolean().default(false),
});

/** Keys as in config.json; unknown keys are kept. */
export type BertConfig = z.infer<typeof schema>;

/** Rows of the position table that stand before the first token's. */
export const firstPosition = (modelType: string): number => FIRST_POSITION[modelType] ?? 0;

/** @param key where the config stands, for messages @throws NarrowsError naming the key that is wrong, or a kind that is not computed */
export function parseBertConfig(json: unknown, source: string, key = 'text_config'): BertConfig {
  const type = (json as { model_type?: unknown } | null)?.model_type;
  if (typeof type !== 'string' || !BERT_TYPES.includes(type))
    throw new NarrowsError(
      `${source}: ${key}.model_type is ${JSON.stringify(type)}; Narrows runs text towers of ${BERT_TYPES.join(', ')}.`,
    );
  const defaults = firstPosition(type) === 2 ? { pad_token_id: 1, layer_norm_eps: 1e-12 } : {};
  const result = schema.safeParse({ ...defaults, ...(json as object) });
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new NarrowsError(`${source}: the key "${key}.${issue.path.join('.')}" is wrong (${issue.message}).`);
  }
  const config = result.data;
  if (config.position_embedding_type !== 'absolute')
    throw new NarrowsError(
      `${source}: ${key}.position_embedding_type is "${config.position_embedding_type}"; Narrows computes absolute positions only.`,
    );
  if (config.is_decoder) throw new NarrowsError(`${source}: ${key}.is_decoder is true; a text tower must be an encoder.`);
  if (config.hidden_size % config.num_attention_heads)
    throw new NarrowsError(
      `${source}: ${key}.hidden_size ${config.hidden_size} is not a multiple of num_attention_heads ${config.num_attention_heads}.`,
    );
  return config;
}

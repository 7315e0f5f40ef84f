/** @file A BERT-like text tower (BertModel, RobertaModel; arXiv 1810.04805): its spec, and the stored names of its tensors. */
import type { HeadStep, TextSpec } from '../towers/spec.ts';
import type { StoredName } from '../towers/stored.ts';
import { type BertConfig, firstPosition } from './config.ts';

/**
 * The spec: every token sees every other that is no padding, norms stand behind attention and MLP, the first token ([CLS]) is read.
 * @param options `head`: from that token to the shared space; `longest`: texts that are shorter than the position table allows
 */
export function bertSpec(
  config: BertConfig,
  { head, longest }: { readonly head: readonly HeadStep[]; readonly longest?: number },
): TextSpec {
  const offset = firstPosition(config.model_type);
  const room = config.max_position_embeddings - offset;
  return {
    hidden_size: config.hidden_size,
    intermediate_size: config.intermediate_size,
    num_hidden_layers: config.num_hidden_layers,
    num_attention_heads: config.num_attention_heads,
    hidden_act: config.hidden_act,
    layer_norm_eps: config.layer_norm_eps,
    post_norm: true,
    vocab_size: config.vocab_size,
    max_position_embeddings: Math.min(room, longest ?? room),
    position_offset: offset,
    position_rows: config.max_position_embeddings,
    type_rows: config.type_vocab_size,
    embedding_norm: true,
    causal: false,
    filled: false,
    pooling: 'first',
    eos_token_id: null,
    pad_token_id: config.pad_token_id,
    final_norm: false,
    head,
  };
}

const EMBEDDINGS: Readonly<Record<string, string>> = {
  'token_embedding.weight': 'word_embeddings.weight',
  'position_embedding.weight': 'position_embeddings.weight',
  'token_type_embeddings.weight': 'token_type_embeddings.weight',
  'layernorm.weight': 'LayerNorm.weight',
  'layernorm.bias': 'LayerNorm.bias',
};
const BLOCK: Readonly<Record<string, string>> = {
  'self_attn.q_proj': 'attention.self.query',
  'self_attn.k_proj': 'attention.self.key',
  'self_attn.v_proj': 'attention.self.value',
  'self_attn.out_proj': 'attention.output.dense',
  layer_norm1: 'attention.output.LayerNorm',
  'mlp.fc1': 'intermediate.dense',
  'mlp.fc2': 'output.dense',
  layer_norm2: 'output.LayerNorm',
};

/** Stored names of the tower's tensors, below `prefix`; `name` is that in memory, without `text_model.`. */
export const bertName =
  (prefix: string): StoredName =>
  name => {
    if (name.startsWith('embeddings.')) return { name: `${prefix}embeddings.${EMBEDDINGS[name.slice('embeddings.'.length)]}` };
    const [, index, layer, kind] = /^encoder\.layers\.(\d+)\.(.*)\.(weight|bias)$/.exec(name) as unknown as [
      string,
      string,
      string,
      string,
    ];
    return { name: `${prefix}encoder.layer.${index}.${BLOCK[layer]}.${kind}` };
  };

/**
 * @file The decoder of Llama and Qwen2 over `Parameters`: root-mean-square norms, rotary grouped-query attention, gated MLP, whole or one
 * step at a time over a cache of keys and values.
 */
import {
  ACTIVATIONS,
  add,
  cast,
  causalMask,
  div,
  equal,
  exp,
  matmul,
  max,
  maximum,
  mul,
  mulDims,
  recompute,
  reshape,
  rmsNorm,
  rotary,
  scope,
  softmax,
  sub,
  sum,
  transpose,
  unsqueeze,
  type Value,
  where,
} from '../graph/index.ts';
import { LOWEST, project } from './attention.ts';
import type { BlockTrace } from './encoder.ts';
import type { Parameters } from './parameters.ts';
import { pickPlaces } from './pick-places.ts';
import { type RopeScaling, type RopeTable, ropeFrequencies, ropeTable, spatialRopeTable } from './rope.ts';

/** What a decoder needs to know of its config (names as in LlamaConfig, but for the biases and the scaling, which are resolved). */
export interface DecoderConfig {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  /** Width of a head. */
  readonly head_dim: number;
  readonly vocab_size: number;
  readonly hidden_act: string;
  readonly rms_norm_eps: number;
  readonly rope_theta: number;
  readonly scaling: RopeScaling;
  /** How many frequencies of a head go by time, by row and by column (M-RoPE of Qwen2-VL); none: all by one count. */
  readonly mrope_section?: readonly number[];
  /** Whether the head is the embedding table. */
  readonly tie_word_embeddings: boolean;
  readonly biases: { readonly qkv: boolean; readonly output: boolean; readonly mlp: boolean };
}

/** Keys and values of one block. */
export interface KeysAndValues {
  /** [B, key–value heads, T, D], rotated */
  readonly key: Value;
  /** [B, key–value heads, T, D] */
  readonly value: Value;
}

/** Earlier tokens that a block may look at. */
export interface PastTokens extends KeysAndValues {
  /** Additive mask [B, 1, 1, T]: 0 = a token, lowest number = an empty or padding place. */
  readonly mask: Value;
}

const norm = (p: Parameters, name: string, x: Value, config: DecoderConfig): Value =>
  scope(name, () => rmsNorm(x, p.get(`${name}.weight`, [config.hidden_size]), config.rms_norm_eps));

/** Additive mask [B, 1, 1, T] of keys that are no tokens, from integers [B, T] (0 = hidden). */
export const hiddenPlaces = (mask: Value): Value => mul(cast(unsqueeze(unsqueeze(equal(mask, 0), 1), 1), 'float32'), LOWEST);

/**
 * Additive mask of tokens that see each other, [B, 1, T, T]: query i sees key j ≤ i that is not padding.
 * @param attentionMask int32 [B, T], 1 = token, 0 = padding
 * @param turns see `DecoderInputs`: a query of a turn sees keys of that turn and of the prefix only
 */
export function decoderMask(attentionMask: Value, turns?: Value): Value {
  const causal = unsqueeze(unsqueeze(causalMask(cast(attentionMask, 'float32'), 1), 0), 0);
  const shown = where(unsqueeze(unsqueeze(equal(attentionMask, 0), 1), 1), LOWEST, causal);
  if (!turns) return shown;
  const [query, key] = [unsqueeze(unsqueeze(turns, 1), -1), unsqueeze(unsqueeze(turns, 1), 1)];
  return where(equal(query, key), shown, where(equal(key, 0), shown, LOWEST));
}

/** What the tokens of a block see. */
interface Sight {
  readonly rope: RopeTable;
  /** Additive, [B, 1, T, T]. */
  readonly mask: Value;
  readonly past?: PastTokens;
  /** Only these rows ask, [B, K, T] with a single 1 per row; all of them are keys and values. */
  readonly read?: Value;
}

/**
 * Grouped-query attention: the query heads of a key–value head stand in one product, so that nothing is repeated. Past tokens are attended
 * to where they lie (softmax over both parts by their joint maximum), so that no step copies the cache.
 * @param x [B, T, width], already normalised
 * @returns the output [B, T, width], the keys and values of the tokens of x, and the inside that `BlockTrace` tells (without past tokens:
 *   `attention` are the probabilities [B, heads, T, T])
 */
function attention(p: Parameters, config: DecoderConfig, x: Value, { rope, mask: all, past, read }: Sight) {
  const { num_attention_heads: heads, num_key_value_heads: groups, head_dim: width, biases } = config;
  // One selects a row, zeros add nothing to it, also of the mask's lowest number.
  const perHead = read && unsqueeze(read, 1);
  const asking = (table: Value): Value => (perHead ? matmul(perHead, table) : table);
  const mask = asking(all);
  const queries = read ? matmul(read, x) : x;
  const [batch, tokens] = queries.shape;
  const share = heads / groups;
  const split = (name: string, count: number, of = x): Value =>
    transpose(reshape(project(p, name, of, count * width, biases.qkv), [batch, of.shape[1], count, width]), [0, 2, 1, 3]);
  const query = rotary(split('q_proj', heads, queries), asking(rope.cos), asking(rope.sin));
  const key = rotary(split('k_proj', groups), rope.cos, rope.sin);
  const value = split('v_proj', groups);
  const grouped = reshape(query, [batch, groups, mulDims([share, tokens]), width]);
  const scored = (keys: Value, hidden: Value): Value => {
    const scores = matmul(grouped, keys, { transB: true, alpha: width ** -0.5 });
    return add(reshape(scores, [batch, heads, tokens, keys.shape[2]]), hidden);
  };
  const weighed = (weights: Value, values: Value): Value =>
    matmul(reshape(weights, [batch, groups, mulDims([share, tokens]), values.shape[2]]), values);
  const scores = scored(key, mask);
  let context: Value;
  let probabilities: Value | undefined;
  if (!past) {
    probabilities = softmax(scores);
    context = weighed(probabilities, value);
  } else {
    const before = scored(past.key, past.mask);
    const top = maximum(max(scores, -1, true), max(before, -1, true));
    const [now, then] = [exp(sub(scores, top)), exp(sub(before, top))];
    const total = add(sum(now, -1, true), sum(then, -1, true));
    const summed = add(weighed(now, value), weighed(then, past.value));
    context = div(summed, reshape(total, [batch, groups, mulDims([share, tokens]), 1]));
  }
  const joined = reshape(transpose(reshape(context, [batch, heads, tokens, width]), [0, 2, 1, 3]), [batch, tokens, heads * width]);
  const output = project(p, 'o_proj', joined, config.hidden_size, biases.output);
  return { output, query, key, value, attention: probabilities, context: joined };
}

/** The gated MLP, [B, T, width] -> the same: down(act(gate x) · up x). */
function gatedMlp(p: Parameters, config: DecoderConfig, x: Value): Value {
  const { intermediate_size: inner, hidden_size: width, biases } = config;
  const gate = ACTIVATIONS[config.hidden_act](project(p, 'gate_proj', x, inner, biases.mlp));
  return project(p, 'down_proj', mul(gate, project(p, 'up_proj', x, inner, biases.mlp)), width, biases.mlp);
}

/** One block over tokens [B, T, width]; with `read` its output is that of the rows that ask, [B, K, width]. */
export function decoderLayer(p: Parameters, config: DecoderConfig, x: Value, sight: Sight) {
  const { mask, read } = sight;
  const normed = norm(p, 'input_layernorm', x, config);
  const { output, ...inside } = scope('self_attn', () => attention(p.in('self_attn'), config, normed, sight));
  const finish = (attended: Value, residual = read ? matmul(read, x) : x): Value => {
    const middle = add(residual, attended);
    const mlp = scope('mlp', () => gatedMlp(p.in('mlp'), config, norm(p, 'post_attention_layernorm', middle, config)));
    return add(middle, mlp);
  };
  const projected = (context: Value): Value =>
    scope('self_attn', () => project(p.in('self_attn'), 'o_proj', context, config.hidden_size, config.biases.output));
  return { ...inside, normed, mask, finish, project: projected, hidden: finish(output) };
}

/** What a decoder is given besides its input. */
export interface DecoderInputs {
  /** int32 [B, T] */
  readonly positions: Value;
  /** int32 [B, T, 2]: row and column, where the config has `mrope_section`; `positions` are then those of time. */
  readonly spatial?: Value;
  /** int32 [B, T], 1 = token, 0 = padding */
  readonly attentionMask: Value;
  /** int32 [B, T]: 0 = the prefix that all turns of the row see, k ≥ 1 = its turn k, which no other turn sees. None: one text a row. */
  readonly turns?: Value;
  /** Per block, the tokens before those of the input. */
  readonly past?: readonly PastTokens[];
  /** For training: what blocks compute inside is not kept for the backward pass but computed again there. */
  readonly recompute?: boolean;
  /** The first block that runs: what comes in is the output of the block before it. 0 by default. */
  readonly from?: number;
  /** Called with each block's output [B, T, width] (block 0 is the first); what it returns goes on. */
  readonly tap?: (layer: number, hidden: Value) => Value;
  /** Only these rows of the last block's output are wanted, [B, K, T] with a single 1 per row: it runs on them alone, but for keys and values. Goes with no tap. */
  readonly read?: Value;
  /** int32 [R]: only these places of the B·T of the last block's output are wanted, as training with few labels does. Goes with no tap there. */
  readonly rows?: Value;
}

/** What a decoder gives. */
export interface DecoderOutputs {
  /** The embeddings, then each block's output after the tap; the last entry is normalised (as hidden_states of transformers), [B, K, width] with `read`, [R, width] with `rows`. */
  readonly hidden: readonly Value[];
  /** Keys and values of the input's tokens by block. */
  readonly present: readonly KeysAndValues[];
  /** Every block's inside, where no past is given and nothing is computed again. */
  readonly blocks: readonly BlockTrace[];
}

/** Embeddings [B, T, width] through all blocks (or those from `from` on) and the last norm. @param p the scope of `layers` and `norm` */
export function decode(p: Parameters, config: DecoderConfig, embedded: Value, inputs: DecoderInputs): DecoderOutputs {
  const frequencies = ropeFrequencies(config.head_dim, config.rope_theta, config.scaling);
  const { mrope_section: sections } = config;
  if (sections && !inputs.spatial) throw new Error('The decoder goes by rows and columns, and was given none.');
  const rope = sections
    ? spatialRopeTable(inputs.positions, inputs.spatial!, frequencies, sections)
    : ropeTable(inputs.positions, frequencies);
  const mask = decoderMask(inputs.attentionMask, inputs.turns);
  const hidden = [embedded];
  const present: KeysAndValues[] = [];
  const blocks: BlockTrace[] = [];
  for (let i = inputs.from ?? 0; i < config.num_hidden_layers; i++) {
    const last = i + 1 === config.num_hidden_layers;
    const block = (x: Value): Value => {
      const read = last ? inputs.read : undefined;
      const sight = { rope, mask, past: inputs.past?.[i], read };
      const traced = scope(`layers.${i}`, () => decoderLayer(p.in(`layers.${i}`), config, x, sight));
      present.push({ key: traced.key, value: traced.value });
      // The inside of a block of which only some rows ask is not told: it has another form.
      if (traced.attention && !inputs.recompute && !read) blocks.push({ ...traced, attention: traced.attention });
      if (!last || !inputs.rows) return traced.hidden;
      const rows = (of: Value): Value => pickPlaces(of, inputs.rows!);
      return scope(`layers.${i}`, () => traced.finish(traced.project(rows(traced.context)), rows(x)));
    };
    const below = hidden.at(-1)!;
    const output = inputs.recompute ? recompute(block, [below]) : block(below);
    hidden.push(inputs.tap && !(last && inputs.rows) ? inputs.tap(i, output) : output);
  }
  hidden.push(norm(p, 'norm', hidden.pop()!, config));
  return { hidden, present, blocks };
}

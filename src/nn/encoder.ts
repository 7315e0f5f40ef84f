/** @file The transformer block that towers are made of, whole and for one pooled token: CLIP's with norms in front, BERT's with norms behind. */
import { ACTIVATIONS, add, layerNorm, mul, scope, type Value } from '../graph/index.ts';
import { outputProjection, pooledAttention, project, selfAttention } from './attention.ts';
import type { Parameters } from './parameters.ts';

/** The keys of a tower's config that a block needs. */
export interface EncoderConfig {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly hidden_act: string;
  readonly layer_norm_eps: number;
  /** Norms stand behind attention and MLP, over the sum with the residual (BERT), not in front of them. Default false. */
  readonly post_norm?: boolean;
  /** Queries, keys and values have a bias. Default true. */
  readonly qkv_bias?: boolean;
  /** A learnt gain per channel on what attention and MLP add (`layer_scale1`, `layer_scale2`; CaiT, arXiv 2103.17239). Default false. */
  readonly layer_scale?: boolean;
}

/** Inside of one block, B sequences of N tokens, width D, H heads. */
export interface BlockTrace {
  /** What attention reads, [B, N, D]: the output of the norm in front of it (HF `layer_norm1`), in BERT's blocks the block's input. Where the Grad-CAM family looks. */
  readonly normed: Value;
  /** Projections per head, [B, H, N, D/H]; the query is not scaled. */
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  /** Attention probabilities [B, H, N, N], queries by keys. */
  readonly attention: Value;
  /** Heads side by side before the output projection, [B, N, D]. */
  readonly context: Value;
  /** The attention's output projection, applied to any [B, N, D]. */
  readonly project: (context: Value) => Value;
  /**
   * The rest of the block: from the attention's (projected) output, whatever it is replaced by, to the block's output, [B, N, D].
   * `input`: the block's own where only some rows are wanted, both [B, M, D].
   */
  readonly finish: (attended: Value, input?: Value) => Value;
  /** Additive mask of the scores where there is one, broadcast to [B, H, N, N]. */
  readonly mask?: Value;
  /** Output of the block, [B, N, D]. */
  readonly hidden: Value;
}

/** What may be changed on the way through a tower's blocks. */
export interface SuffixOptions {
  /** 0 hides a token from every attention (pooling heads too), 1 shows it; float32 [B·repeat, N]. The pooled token must be 1. */
  readonly keyMask?: Value;
  /** Replaces the output of each block above the given one: called with the block's number and its output [B·repeat, N, D]. */
  readonly tap?: (layer: number, hidden: Value) => Value;
}

/** Layer normalisation `name` from a scope. */
export function normLayer(p: Parameters, name: string, x: Value, epsilon: number): Value {
  const width = x.shape.at(-1) as number;
  return scope(name, () => layerNorm(x, p.get(`${name}.weight`, [width]), p.get(`${name}.bias`, [width]), epsilon));
}

/** The two linear layers `mlp` of a scope with the activation between them, [B, N, D] -> [B, N, D]. */
export function feedForward(p: Parameters, config: EncoderConfig, x: Value): Value {
  return scope('mlp', () => {
    const mlp = p.in('mlp');
    const inner = ACTIVATIONS[config.hidden_act](project(mlp, 'fc1', x, config.intermediate_size));
    return project(mlp, 'fc2', inner, config.hidden_size);
  });
}

/** A block from its attention's output [B, N, D] on: residuals, norms and MLP. */
function afterAttention(p: Parameters, config: EncoderConfig, output: Value, residual: Value): Value {
  const norm = (name: string, x: Value): Value => normLayer(p, name, x, config.layer_norm_eps);
  if (config.post_norm) {
    const middle = norm('layer_norm1', add(residual, output));
    return norm('layer_norm2', add(middle, feedForward(p, config, middle)));
  }
  const scaled = (name: string, x: Value): Value => (config.layer_scale ? mul(x, p.get(name, [config.hidden_size])) : x);
  const middle = add(residual, scaled('layer_scale1', output));
  return add(middle, scaled('layer_scale2', feedForward(p, config, norm('layer_norm2', middle))));
}

/** What a block's attention reads. */
const beforeAttention = (p: Parameters, config: EncoderConfig, x: Value): Value =>
  config.post_norm ? x : normLayer(p, 'layer_norm1', x, config.layer_norm_eps);

/** One block over all tokens, [B, N, D] -> [B, N, D], with its inside. */
export function encoderLayer(p: Parameters, config: EncoderConfig, x: Value, mask?: Value): BlockTrace {
  const normed = beforeAttention(p, config, x);
  const attended = scope('self_attn', () => selfAttention(p.in('self_attn'), normed, config.num_attention_heads, mask, config.qkv_bias));
  const project = (context: Value): Value => scope('self_attn', () => outputProjection(p.in('self_attn'), context));
  const finish = (output: Value, residual = x): Value => afterAttention(p, config, output, residual);
  return { ...attended, normed, project, finish, mask, hidden: finish(attended.output) };
}

/** The last block where only one token per sample is read: [B, N, D] -> [B, 1, D], with everything else left out. */
export function pooledEncoderLayer(p: Parameters, config: EncoderConfig, x: Value, pick: (x: Value) => Value, mask?: Value): Value {
  const normed = beforeAttention(p, config, x);
  const { num_attention_heads: heads, qkv_bias: bias } = config;
  const output = scope('self_attn', () => pooledAttention(p.in('self_attn'), normed, pick(normed), heads, mask, bias));
  return afterAttention(p, config, output, pick(x));
}

/** Blocks `from` to the end over all tokens. `hidden[i]` is the input of block `from + i`, the last entry the tower's output. */
export function encode(
  p: Parameters,
  config: EncoderConfig,
  x: Value,
  options: { from?: number; to?: number; mask?: Value; tap?: SuffixOptions['tap'] } = {},
): { hidden: Value[]; attentions: Value[]; blocks: BlockTrace[] } {
  const hidden = [x];
  const blocks: BlockTrace[] = [];
  for (let i = options.from ?? 0; i < (options.to ?? config.num_hidden_layers); i++) {
    const block = scope(`encoder.layers.${i}`, () => encoderLayer(p.in(`encoder.layers.${i}`), config, hidden.at(-1)!, options.mask));
    hidden.push(options.tap ? options.tap(i, block.hidden) : block.hidden);
    blocks.push(block);
  }
  return { hidden, attentions: blocks.map(b => b.attention), blocks };
}

/** How `encodePooled` runs: its first block, the token it pools, and what attention may see. */
export interface PooledOptions extends Pick<SuffixOptions, 'tap'> {
  readonly from: number;
  /** The pooled token: [B, N, D] -> [B, 1, D]. */
  readonly pick: (x: Value) => Value;
  /** Additive: of all queries [1 or B, 1, N, N], and of the pooled one [B, 1, N]. */
  readonly masks?: { readonly all?: Value; readonly pooled?: Value };
}

/** Blocks `from` to the end, the last one for the pooled token only: [B, N, D] -> [B, 1, D]. With no block left, the token itself. */
export function encodePooled(p: Parameters, config: EncoderConfig, x: Value, { from, pick, masks = {}, tap }: PooledOptions): Value {
  const last = config.num_hidden_layers - 1;
  if (from > last) return pick(x);
  const { hidden } = encode(p, config, x, { from, to: last, mask: masks.all, tap });
  return scope(`encoder.layers.${last}`, () =>
    pooledEncoderLayer(p.in(`encoder.layers.${last}`), config, hidden.at(-1)!, pick, masks.pooled),
  );
}

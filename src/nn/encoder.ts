/** @file The pre-norm transformer block that both of CLIP's towers (and SigLIP's) are made of, whole and for one pooled token. */
import { ACTIVATIONS, add, layerNorm, scope, type Value } from '../graph/index.ts';
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
}

/** Inside of one block, B sequences of N tokens, width D, H heads. */
export interface BlockTrace {
  /** Output of the norm in front of attention (HF `layer_norm1`), [B, N, D]: where the Grad-CAM family looks. */
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

/** A block's second half: norm, MLP and what goes around them. */
const secondHalf = (p: Parameters, config: EncoderConfig, middle: Value): Value =>
  add(middle, feedForward(p, config, normLayer(p, 'layer_norm2', middle, config.layer_norm_eps)));

/** One block over all tokens, [B, N, D] -> [B, N, D], with its inside. */
export function encoderLayer(p: Parameters, config: EncoderConfig, x: Value, mask?: Value): BlockTrace {
  const normed = normLayer(p, 'layer_norm1', x, config.layer_norm_eps);
  const attended = scope('self_attn', () => selfAttention(p.in('self_attn'), normed, config.num_attention_heads, mask));
  const project = (context: Value): Value => scope('self_attn', () => outputProjection(p.in('self_attn'), context));
  const finish = (output: Value, residual = x): Value => secondHalf(p, config, add(residual, output));
  return { ...attended, normed, project, finish, mask, hidden: finish(attended.output) };
}

/** The last block where only one token per sample is read: [B, N, D] -> [B, 1, D], with everything else left out. */
export function pooledEncoderLayer(p: Parameters, config: EncoderConfig, x: Value, pick: (x: Value) => Value, mask?: Value): Value {
  const normed = normLayer(p, 'layer_norm1', x, config.layer_norm_eps);
  const output = scope('self_attn', () => pooledAttention(p.in('self_attn'), normed, pick(normed), config.num_attention_heads, mask));
  return secondHalf(p, config, add(pick(x), output));
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

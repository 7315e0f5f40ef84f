/** @file Multi-head attention of the CLIP family (separate q, k, v projections with bias, pre-scaled queries) and masks. */
import {
  add,
  cast,
  causalMask,
  equal,
  linear,
  matmul,
  mul,
  reshape,
  scope,
  slice,
  softmax,
  sub,
  transpose,
  unsqueeze,
  type Value,
  where,
} from '../graph/index.ts';
import type { Parameters } from './parameters.ts';

/** What stands for minus infinity in an additive mask: float32's lowest number, as transformers uses. */
export const LOWEST = -3.4028234663852886e38;

/** Linear layer `name` with bias from a scope, through its adapter where there is one. */
export function project(p: Parameters, name: string, x: Value, out: number, bias = true): Value {
  const width = x.shape.at(-1) as number;
  return scope(name, () => {
    const y = linear(x, p.get(`${name}.weight`, [out, width]), bias ? p.get(`${name}.bias`, [out]) : undefined);
    return p.adapt(name, x, y);
  });
}

/**
 * Additive causal mask with padding, [1 or B, 1, T, T]: 0 where query i may see key j ≤ i that is not padding.
 * @param ids any value whose axis 1 is the sequence
 * @param attentionMask integers [B, T], 1 = token, 0 = padding; none by default
 */
export function textMask(ids: Value, attentionMask?: Value): Value {
  const causal = unsqueeze(unsqueeze(causalMask(cast(ids, 'float32'), 1), 0), 0);
  if (!attentionMask) return causal;
  const padded = unsqueeze(unsqueeze(equal(attentionMask, 0), 1), 1);
  return where(padded, LOWEST, causal);
}

/** [B, N, D] -> [B, heads, N, D/heads] */
function splitHeads(x: Value, heads: number): Value {
  const [batch, tokens, width] = x.shape;
  return transpose(reshape(x, [batch, tokens, heads, (width as number) / heads]), [0, 2, 1, 3]);
}

/** Self-attention with its inside, shapes as in BlockTrace (encoder.ts). */
export interface AttentionTrace {
  readonly output: Value;
  readonly attention: Value;
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  readonly context: Value;
}

/**
 * Self-attention over all tokens (CLIPAttention, eager).
 * @param x [B, N, D], already normalised
 * @param mask additive, broadcast to [B, heads, N, N]
 * @param bias whether queries, keys and values have one
 * @returns the output [B, N, D], the attention probabilities [B, heads, N, N] and what they are made of
 */
export function selfAttention(p: Parameters, x: Value, heads: number, mask?: Value, bias = true): AttentionTrace {
  const width = x.shape.at(-1) as number;
  const [query, key, value] = ['q_proj', 'k_proj', 'v_proj'].map(name => splitHeads(project(p, name, x, width, bias), heads));
  const scores = matmul(query, key, { transB: true, alpha: (width / heads) ** -0.5 });
  const attention = softmax(mask ? add(scores, mask) : scores);
  const context = reshape(transpose(matmul(attention, value), [0, 2, 1, 3]), x.shape);
  return { output: outputProjection(p, context), attention, query, key, value, context };
}

/** The output projection of an attention, [B, N, D] -> [B, N, D]. */
export const outputProjection = (p: Parameters, context: Value): Value => project(p, 'out_proj', context, context.shape.at(-1) as number);

/** Additive mask that hides tokens as keys: 1 = shown, 0 = hidden, [B, N] -> [B, 1, 1, N]. */
export const hiddenKeys = (keyMask: Value): Value => unsqueeze(unsqueeze(mul(sub(1, keyMask), LOWEST), 1), 1);

/**
 * Self-attention of one pooled query per sample, with the key and value projections folded into the query and into the weighted mean:
 * q·(W_k x_j + b_k) = (W_kᵀq)·x_j + const, and Σ a_j (W_v x_j + b_v) = W_v Σ a_j x_j + b_v. Two products over B·N rows become products
 * over B rows; the mathematics (and every gradient with regard to x) is unchanged.
 * @param x [B, N, D], already normalised
 * @param query [B, 1, D], the pooled token's row of x
 * @param mask additive, broadcast to [B, heads, N]
 * @param bias whether queries, keys and values have one
 * @returns [B, 1, D]
 */
export function pooledAttention(p: Parameters, x: Value, query: Value, heads: number, mask?: Value, bias = true): Value {
  const [batch, , width] = x.shape as [number | string, number | string, number];
  const depth = width / heads;
  const q = reshape(project(p, 'q_proj', query, width, bias), [batch, heads, depth]);
  // The key bias shifts every score of a query alike, so softmax drops it; the checkpoint has it all the same.
  if (bias) p.get('k_proj.bias', [width]);
  const scores = foldedScores(q, p.get('k_proj.weight', [width, width]), x);
  const context = foldedMean(softmax(mask ? add(scores, mask) : scores), p.get('v_proj.weight', [width, width]), x);
  return project(p, 'out_proj', bias ? add(context, p.get('v_proj.bias', [width])) : context, width);
}

/** [A, B, …] -> [B, A, …] of three axes. */
const exchange = (y: Value): Value => transpose(y, [1, 0, 2]);

/** A projection's weight [D, D] by head, [heads, D/heads, D]. */
function byHead(weight: Value, heads: number): Value {
  const width = weight.shape[1] as number;
  return reshape(weight, [heads, width / heads, width]);
}

/**
 * Scaled scores of one query per sample over tokens, the key projection folded into the query (see `pooledAttention`).
 * @param query [B or 1, heads, D/heads]
 * @param key weight of the key projection, [D, D]
 * @param x [B, N, D]
 * @returns [B, heads, N]
 */
export function foldedScores(query: Value, key: Value, x: Value): Value {
  const [, heads, depth] = query.shape as number[];
  const folded = exchange(matmul(exchange(query), byHead(key, heads)));
  return matmul(folded, x, { transB: true, alpha: depth ** -0.5 });
}

/**
 * Values averaged with attention, the value projection folded into the mean; its bias and the output projection are left to the caller.
 * @param attention [B, heads, N]
 * @param value weight of the value projection, [D, D]
 * @param x [B, N, D]
 * @returns [B, 1, D]
 */
export function foldedMean(attention: Value, value: Value, x: Value): Value {
  const [batch, heads] = attention.shape;
  const means = matmul(exchange(matmul(attention, x)), byHead(value, heads as number), { transB: true });
  return reshape(exchange(means), [batch, 1, x.shape.at(-1)!]);
}

/** The row at a fixed position of each sample: [B, N, D] -> [B, 1, D]. */
export const rowAt = (x: Value, position: number): Value => slice(x, 1, position, position + 1);

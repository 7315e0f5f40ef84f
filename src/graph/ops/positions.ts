/** @file What decoders need besides attention: rotary positions, shared key–value heads, the causal mask. Composed of other ops. */
import { mulDims } from '../dims.ts';
import { axisOf, misfit, type Value } from '../value.ts';
import { add, greater, mul, sub, where } from './arithmetic.ts';
import { cast, iota, scalar, size } from './constants.ts';
import { broadcastTo, concat, reshape, slice, unsqueeze } from './shape.ts';
import { neg } from './unary.ts';

/**
 * Rotary position embedding in the rotate-half form of Llama and Qwen2 (Su et al. 2021, RoFormer, eq. 34, with the pairs (i, i + D/2)):
 * x·cos + [−x₂, x₁]·sin.
 * @param x [..., T, D] with D even
 * @param cos [T, D] or anything that broadcasts to x: cos(t·ωᵢ), the D/2 frequencies twice over
 * @param sin as `cos`
 */
export function rotary(x: Value, cos: Value, sin: Value): Value {
  const width = x.shape.at(-1);
  if (typeof width !== 'number' || width % 2) throw misfit('rotary', [x], `the last axis must have an even size, not ${width}.`);
  const rotated = concat([neg(slice(x, -1, width / 2)), slice(x, -1, 0, width / 2)], -1);
  return add(mul(x, cos), mul(rotated, sin));
}

/**
 * Each key or value head repeated for the query heads that share it (grouped-query attention): head h serves queries h·times … .
 * @param x [B, heads, T, D]
 * @returns [B, heads·times, T, D]
 */
export function repeatHeads(x: Value, times: number): Value {
  if (x.shape.length !== 4) throw misfit('repeatHeads', [x], 'the input must be [batch, heads, length, width].');
  if (times === 1) return x;
  const [b, h, t, d] = x.shape;
  return reshape(broadcastTo(unsqueeze(x, 2), [b, h, times, t, d], x), [b, mulDims([h, times]), t, d]);
}

/**
 * Additive causal mask: 0 where a key stands no later than the query, the type's lowest finite number elsewhere (as transformers does;
 * −∞ would turn a fully masked row into NaN). Where there are more keys than queries, the queries are the last ones (a cache).
 * @param queries tells the number of queries by its axis `axis`, and the type
 * @param keys tells the number of keys by its axis `keyAxis`
 * @returns [queries, keys]
 */
export function causalMask(queries: Value, axis: number, keys: Value = queries, keyAxis = axis): Value {
  const [q, k] = [queries.shape[axisOf('causalMask', queries, axis)], keys.shape[axisOf('causalMask', keys, keyAxis)]];
  const dtype = queries.dtype;
  let row = reshape(iota(queries, axis), [q, 1]);
  if (q !== k) row = add(row, cast(sub(size(keys, [keyAxis]), size(queries, [axis])), 'int32'));
  const column = reshape(iota(keys, keyAxis), [1, k]);
  return where(greater(column, row), scalar(LOWEST[dtype] ?? LOWEST.float32, dtype), scalar(0, dtype));
}

const LOWEST: Readonly<Record<string, number>> = {
  float16: -65504,
  bfloat16: -3.3895313892515355e38,
  float32: -3.4028234663852886e38,
  float64: -Number.MAX_VALUE,
};

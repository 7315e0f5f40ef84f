/** @file Gradients of gradients: d⟨∇f, u⟩/dx against central differences of ∇f, in float64 through the runtime. */
import { afterAll, describe, expect, it } from 'vitest';
import { nodeRuntime } from '../runtime/node.ts';
import { expectClose } from '../testing/close.ts';
import { centralDifferences, type Plain, plain, total, uniform } from '../testing/plain.ts';
import {
  compile,
  concat,
  constant,
  div,
  gather,
  gelu,
  geluTanh,
  grad,
  input,
  layerNorm,
  linear,
  logSoftmax,
  matmul,
  max,
  mul,
  quickGelu,
  rmsNorm,
  silu,
  slice,
  softmax,
  square,
  sum,
  takeAlongAxis,
  type Value,
} from './index.ts';
import { host } from './testing/op-case.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.release());

const w = uniform([3, 4], -1, 1, 11);
const ids = constant({ dtype: 'int64', shape: [5], data: BigInt64Array.of(0n, 2n, 2n, 1n, 0n) });
const picks = constant({ dtype: 'int64', shape: [3, 2], data: BigInt64Array.of(0n, 0n, 3n, 1n, 2n, 2n) });
const float64 = (x: Plain): Value => constant(host('float64', x));

/** Functions of x [3, 4] that bend: each result goes through a square, so that no second derivative vanishes. */
const functions: Record<string, (x: Value) => Value> = {
  'matmul with itself': x => matmul(x, x, { transB: true }),
  'matmul, Aᵀ, α': x => matmul(x, float64(w), { transA: true, alpha: 0.5 }),
  linear: x => linear(x, square(float64(w)), sum(x, 1)),
  softmax: x => softmax(x, 0),
  logSoftmax: x => logSoftmax(x),
  layerNorm: x => layerNorm(x, sum(x, 0), float64(uniform([4])), 1e-2),
  'layerNorm, its mean and inverse deviation': x => {
    const [y, mean, inverse] = layerNorm(x, float64(uniform([4])), float64(uniform([4])), 1e-2).node.outputs;
    return mul(mul(y, mean), inverse);
  },
  rmsNorm: x => rmsNorm(x, float64(uniform([4])), 1e-2),
  geluTanh,
  quickGelu,
  silu,
  gather: x => gather(x, ids),
  takeAlongAxis: x => takeAlongAxis(x, picks),
  'slice and concat': x => concat([slice(x, 1, 1), slice(x, 1, 0, 2), square(x)], 1),
  div: x => div(sum(x, 0), square(x)),
  max: x => mul(max(x, 1, true), x),
};

const first = uniform([3, 4], 0.5, 2);
const u = uniform([3, 4], -1, 1, 5);

describe('double backward', () => {
  it.each(Object.entries(functions))('%s', async (_, f) => {
    const [x, direction] = [input('x', [3, 4], 'float64'), input('u', [3, 4], 'float64')];
    const [g] = grad(sum(square(f(x))), [x]);
    const [h] = grad(sum(mul(g, direction)), [x]);
    await using compiled = await compile(runtime, { g, h });
    const at = (p: Plain): Promise<Record<string, { data: ArrayLike<number | bigint> }>> =>
      compiled.run({ x: host('float64', p), u: host('float64', u) }) as never;
    // ⟨∇f, u⟩ at points moved along each coordinate, evaluated by the runtime.
    const points: Plain[] = [];
    centralDifferences(p => points.push(p), first, 1e-5);
    const values = new Map<Plain, number>();
    for (const p of points) values.set(p, total(Array.from((await at(p)).g.data, (v, i) => Number(v) * u.data[i])));
    let next = 0;
    const expected = centralDifferences(() => values.get(points[next++])!, first, 1e-5);
    const result = await at(first);
    expect(total(expected.map(Math.abs))).toBeGreaterThan(1e-3);
    expectClose(result.h.data, expected, { rtol: 1e-6, atol: 1e-6 });
  });

  it('gelu, in float32 against its closed form', async () => {
    const x = input('x', [5]);
    const [g] = grad(sum(gelu(x)), [x]);
    const [h] = grad(sum(g), [x]);
    const points = [-2, -0.5, 0, 1, 2.5];
    await using compiled = await compile(runtime, { h });
    const { h: result } = await compiled.run({ x: host('float32', plain([5], points)) });
    // (xΦ)'' = φ(x)(2 − x²)
    expectClose(
      result.data,
      points.map(v => (Math.exp((-v * v) / 2) / Math.sqrt(2 * Math.PI)) * (2 - v * v)),
      { atol: 1e-6 },
    );
  });

  it('a third derivative', async () => {
    const x = input('x', [1], 'float64');
    const [d1] = grad(sum(mul(square(x), square(x))), [x]);
    const [d2] = grad(sum(d1), [x]);
    const [d3] = grad(sum(d2), [x]);
    await using compiled = await compile(runtime, { d3 });
    expectClose((await compiled.run({ x: host('float64', plain([1], [1.5])) })).d3.data, [36]);
  });
});

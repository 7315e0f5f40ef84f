import { afterAll, describe, expect, it } from 'vitest';
import { nodeRuntime } from '../runtime/node.ts';
import { RandomStream } from '../tensor/random.ts';
import { type FloatTensor, floats, type Tensor } from '../tensor/tensor.ts';
import {
  add,
  compile,
  computeAfter,
  grad,
  input,
  keepMask,
  linear,
  lower,
  mul,
  recompute,
  sin,
  softmax,
  sum,
  tanh,
  type Value,
} from './index.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.release());

const random = (name: string, shape: number[]): FloatTensor =>
  floats(shape, new RandomStream(1, name).normals(0, 0, new Float32Array(shape.reduce((a, b) => a * b, 1))));
const feeds: Record<string, Tensor> = {
  x: random('x', [3, 5, 8]),
  w0: random('w0', [8, 8]),
  w1: random('w1', [8, 8]),
  shared: random('shared', [8, 8]),
  scale: random('scale', [8]),
  seed: { dtype: 'int32', shape: [], data: Int32Array.of(4) },
};

type Wrap = (part: (...inputs: Value[]) => Value, inputs: readonly Value[]) => Value;
const plain: Wrap = (part, inputs) => part(...inputs);

/** Three blocks with weights of their own, a shared one, a value made outside from the input, a dropout mask, and two inputs to one. */
function trace(wrap: Wrap) {
  const x = input('x', ['batch', 'seq', 8]);
  const [w0, w1, shared] = ['w0', 'w1', 'shared'].map(name => input(name, [8, 8]));
  const scale = input('scale', [8]);
  const outside = sin(mul(x, scale));
  const block = (w: Value) => (h: Value) =>
    add(h, linear(mul(softmax(linear(tanh(h), w)), keepMask(h, input('seed', [], 'int32'), 0.2, 1)), shared));
  const h0 = wrap(block(w0), [x]);
  const h1 = wrap(h => mul(block(w1)(h), outside), [h0]);
  const h2 = wrap((a, b) => add(mul(tanh(a), b), linear(b, shared)), [h1, h0]);
  const loss = sum(mul(h2, h2));
  const wrt = { x, w0, w1, shared, scale, h0 };
  const gradients = grad(loss, Object.values(wrt));
  const outputs: Record<string, Value> = { loss, ...Object.fromEntries(Object.keys(wrt).map((name, i) => [`grad.${name}`, gradients[i]])) };
  return { loss, wrt, outputs };
}

async function run(outputs: Record<string, Value>): Promise<Record<string, Tensor>> {
  await using graph = await compile(runtime, outputs);
  return graph.run(feeds);
}

const count = (outputs: Record<string, Value>, opType: string): number => lower(outputs).nodes.filter(n => n.opType === opType).length;

describe('recompute', () => {
  it('changes loss and gradients by rounding at most', async () => {
    const [a, b] = [await run(trace(plain).outputs), await run(trace(recompute).outputs)];
    for (const name of Object.keys(a))
      for (const [i, v] of (a[name].data as Float32Array).entries())
        expect(Math.abs((b[name].data[i] as number) - v), `${name} ${i}`).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(v)));
  });

  it('computes the inside twice, once for each pass, and only the forward pass once', () => {
    expect(count(trace(plain).outputs, 'Softmax')).toBe(2);
    expect(count(trace(recompute).outputs, 'Softmax')).toBe(4);
    expect(count({ loss: trace(recompute).loss }, 'Softmax')).toBe(2);
    expect(lower({ loss: trace(recompute).loss }).nodes.length).toBe(lower({ loss: trace(plain).loss }).nodes.length);
  });

  it('can be differentiated twice', async () => {
    const second = (wrap: Wrap) => {
      const { outputs, wrt } = trace(wrap);
      const [g] = grad(sum(mul(outputs['grad.w0'], outputs['grad.w0'])), [wrt.w1]);
      return { g };
    };
    const [a, b] = [(await run(second(plain))).g.data, (await run(second(recompute))).g.data];
    for (const [i, v] of (a as Float32Array).entries())
      expect(Math.abs((b[i] as number) - v)).toBeLessThan(1e-4 * Math.max(1, Math.abs(v)));
    expect(Math.hypot(...(a as Float32Array))).toBeGreaterThan(1);
  });

  it('may be nested', async () => {
    const nested: Wrap = (part, inputs) => recompute((...inner) => recompute(part, inner), inputs);
    const [a, b] = [await run(trace(plain).outputs), await run(trace(nested).outputs)];
    for (const name of Object.keys(a))
      for (const [i, v] of (a[name].data as Float32Array).entries())
        expect(Math.abs((b[name].data[i] as number) - v)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(v)));
  });
});

describe('computeAfter', () => {
  it('is its first operand to the bit, whatever the others hold, of any type and rank', async () => {
    const x = input('x', ['batch', 'seq', 8]);
    const bad = input('bad', ['n']);
    const y = computeAfter(x, [bad, input('seed', [], 'int32'), sum(bad)]);
    const [g] = grad(sum(mul(y, y)), [x]);
    await using graph = await compile(runtime, { y, g, scalar: computeAfter(sum(x), [bad]) });
    const out = await graph.run({ ...feeds, bad: floats([2], [Number.NaN, Number.POSITIVE_INFINITY]) });
    expect(out.y).toEqual(feeds.x);
    expect(out.g.data).toEqual((feeds.x.data as Float32Array).map(v => 2 * v));
    expect(Number.isFinite(out.scalar.data[0] as number)).toBe(true);
    expect(graph.inputNames).toContain('bad');
  });
});

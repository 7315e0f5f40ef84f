/** @file What graphs look like that are lowered for WebGPU, run here on the processor: sines as accurate as float32, no fused products. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../runtime/node.ts';
import { floats } from '../tensor/tensor.ts';
import { compile, lower } from './compile.ts';
import { cos, grad, input, logSoftmax, matmul, mul, sin, sum } from './index.ts';

const kinds = (webgpu: boolean, outputs: Parameters<typeof lower>[0]): Set<string> =>
  new Set(
    lower(outputs, webgpu)
      .nodes.map(n => n.opType)
      .filter(kind => kind !== 'Identity'),
  );

describe('a graph for WebGPU', () => {
  it.each([1, 4, 100, 8192])('has sine and cosine to 3e-7 between ±%d, and their gradients', async most => {
    const count = 4001;
    const values = Float32Array.from({ length: count }, (_, i) => (i / 2000 - 1) * most);
    const x = input('x', [count]);
    const [slope] = grad(sum(sin(x)), [x]);
    await using graph = await compile({ ...nodeRuntime({ threads: 1 }), webgpu: true }, { sine: sin(x), cosine: cos(x), slope });
    const out = await graph.run({ x: floats([count], values) });
    const worst = (name: string, f: (v: number) => number): number =>
      values.reduce((most, v, i) => Math.max(most, Math.abs(Number(out[name].data[i]) - f(v))), 0);
    expect(worst('sine', Math.sin)).toBeLessThan(3e-7);
    expect(worst('cosine', Math.cos)).toBeLessThan(3e-7);
    expect(worst('slope', Math.cos)).toBeLessThan(3e-7);
  });

  it('has the logarithm of the softmax in plain ops, without overflow, and its gradient', async () => {
    const x = input('x', [2, 4]);
    const made = (v: typeof x) => ({ y: logSoftmax(v, 0), slope: grad(sum(mul(logSoftmax(v, 0), v)), [v])[0] });
    expect(kinds(false, made(x))).toContain('LogSoftmax');
    expect(kinds(true, made(x))).not.toContain('LogSoftmax');
    const values = { x: floats([2, 4], [1, 300, -2, 0.5, -1, -300, 3, 0.25]) };
    const runtime = nodeRuntime({ threads: 1 });
    await using plain = await compile({ ...runtime, webgpu: true }, made(x));
    await using own = await compile(runtime, made(x));
    const [found, wanted] = [await plain.run(values), await own.run(values)];
    for (const name of ['y', 'slope'])
      for (const [i, value] of (found[name].data as Float32Array).entries()) expect(value).toBeCloseTo(Number(wanted[name].data[i]), 4);
  });

  it('has neither sines nor fused products, and keeps float64 as it is', () => {
    const [x, y] = [input('x', [2, 3]), input('x', [2, 3], 'float64')];
    const made = (v: typeof x) => ({ product: matmul(v, v, { transB: true }), wave: sin(cos(v)) });
    expect([...kinds(false, made(x))].sort()).toEqual(['Cos', 'FusedMatMul', 'Sin']);
    const plain = kinds(true, made(x));
    expect(['Cos', 'Sin', 'FusedMatMul'].filter(kind => plain.has(kind))).toEqual([]);
    expect([...kinds(true, made(y))].sort()).toEqual(['Cos', 'MatMul', 'Sin', 'Transpose']);
  });
});

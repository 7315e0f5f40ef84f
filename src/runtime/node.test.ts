/** @file What Narrows relies on in onnxruntime-node 1.30: a change here means a change of the binding. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { add, compile, input, matmul, mul, scope, sum } from '../graph/index.ts';
import { RandomStream } from '../tensor/random.ts';
import { floats } from '../tensor/tensor.ts';
import { nodeRuntime } from './node.ts';

const runtime = nodeRuntime({ threads: 1 });
const x = input('x', ['n']);

describe('nodeRuntime', () => {
  it('reads inputs where they lie: a change is seen by the next run', async () => {
    await using compiled = await compile(runtime, { y: mul(x, 2) });
    const buffer = new Float32Array(10).fill(1);
    const view = floats([2], buffer.subarray(4, 6));
    expect([...(await compiled.run({ x: view })).y.data]).toEqual([2, 2]);
    buffer[5] = 7;
    expect([...(await compiled.run({ x: view })).y.data]).toEqual([2, 14]);
  });

  it('sums to the same bits wherever an array lies in its buffer', async () => {
    await using compiled = await compile(runtime, { y: sum(input('a', [7, 513]), 1), all: sum(input('a', [7, 513])) });
    const values = new RandomStream(0, 'test.packets').normals(0, 0, new Float32Array(7 * 513));
    const found = new Set<string>();
    for (let skipped = 0; skipped < 8; skipped++) {
      const view = new Float32Array(values.length + skipped).subarray(skipped);
      view.set(values);
      const { y, all } = await compiled.run({ a: floats([7, 513], view) });
      found.add([...y.data, ...all.data].join());
    }
    expect(found.size).toBe(1);
  });

  it('fills given outputs, views and inputs included, and nothing around them', async () => {
    await using compiled = await compile(runtime, { y: add(mul(x, 2), sum(x)) });
    const buffer = Float32Array.of(9, 1, 2, 3, 9);
    const mine = floats([3], buffer.subarray(1, 4));
    // In place: every element of the input is read before one is written.
    const out = await compiled.run({ x: mine }, { into: { y: mine } });
    expect(out.y).toBe(mine);
    expect([...buffer]).toEqual([9, 8, 10, 12, 9]);
  });

  it('gives outputs that the caller owns and may transfer', async () => {
    await using compiled = await compile(runtime, { y: mul(x, 2), z: mul(x, 3) });
    const first = await compiled.run({ x: floats([2], [1, 2]) }, { outputs: ['z'] });
    expect(Object.keys(first)).toEqual(['z']);
    await compiled.run({ x: floats([2], [5, 6]) });
    expect([...first.z.data]).toEqual([3, 6]);
    const moved = structuredClone(first.z.data, { transfer: [first.z.data.buffer as ArrayBuffer] });
    expect([...moved]).toEqual([3, 6]);
  });

  it('takes many runs of one session at once', async () => {
    await using compiled = await compile(runtime, { y: mul(x, 2) });
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => compiled.run({ x: floats([1], [i]) })));
    expect(results.map(r => r.y.data[0])).toEqual(results.map((_, i) => 2 * i));
  });

  it('looks at the signal before it starts', async () => {
    await using compiled = await compile(runtime, { y: mul(x, 2) });
    await expect(compiled.run({ x: floats([1], [1]) }, { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
  });

  it('writes a profile that names nodes as the model does', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'narrows-profile-'));
    try {
      const y = scope('encoder.layers.3', () => matmul(input('a', [64, 64]), input('b', [64, 64])));
      const compiled = await compile(runtime, { y }, { profile: join(folder, 'run') });
      const a = floats([64, 64], new Float32Array(4096));
      await compiled.run({ a, b: a });
      await compiled.release();
      const [file] = await readdir(folder);
      expect(await readFile(join(folder, file), 'utf8')).toContain('encoder.layers.3/MatMul_0');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

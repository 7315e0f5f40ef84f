/** @file Sessions: shared by hash, released once, bounded in memory; results that do not depend on threads or on the run. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, it } from 'vitest';
import { nodeRuntime } from '../runtime/node.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { RandomStream } from '../tensor/random.ts';
import { type FloatTensor, floats, ints, sizeOf, type Tensor } from '../tensor/tensor.ts';
import { expectClose } from '../testing/close.ts';
import {
  add,
  compile,
  gather,
  gelu,
  grad,
  input,
  layerNorm,
  linear,
  lower,
  matmul,
  mean,
  mul,
  reshape,
  softmax,
  square,
  sum,
  type Value,
} from './index.ts';

const node = nodeRuntime({ threads: 1 });
afterAll(() => node.release());

/** A runtime that counts what is compiled and released. */
function counting(): Runtime & { compiled: number; released: number } {
  const counts = {
    ...node,
    compiled: 0,
    released: 0,
    async compile(...args: Parameters<Runtime['compile']>) {
      counts.compiled++;
      const executable = await node.compile(...args);
      return {
        run: executable.run.bind(executable),
        async release() {
          counts.released++;
          await executable.release();
        },
      };
    },
  };
  return counts;
}

const trace = (factor = 2): Record<string, Value> => {
  const x = input('x', ['batch', 4]);
  const y = mul(square(x), factor);
  return { y, g: grad(sum(y), [x])[0] };
};
const feeds = { x: floats([1, 4], [1, 2, 3, 4]) };
const normals = (shape: number[], sample: number, scale = 1): FloatTensor =>
  floats(
    shape,
    new RandomStream(1, 'test').normals(0, sample, new Float32Array(sizeOf(shape))).map(v => v * scale),
  );

describe('the session cache', () => {
  it('gives equal traces one session, which closes with its last user', async () => {
    const runtime = counting();
    const [a, b] = await Promise.all([compile(runtime, trace()), compile(runtime, trace())]);
    const c = await compile(runtime, trace());
    expect(runtime.compiled).toBe(1);
    expect(new Set([a.hash, b.hash, c.hash]).size).toBe(1);
    expect(a.hash).toMatch(/^[0-9a-f]{64}$/);
    await a.release();
    await a.release();
    await b.release();
    expect(runtime.released).toBe(0);
    await expect(a.run(feeds)).rejects.toThrow(/already released/);
    expect((await c.run(feeds)).y.data).toEqual(Float32Array.of(2, 8, 18, 32));
    await Promise.all([c.release(), c.release()]);
    expect(runtime.released).toBe(1);
    await (await compile(runtime, trace())).release();
    expect([runtime.compiled, runtime.released]).toEqual([2, 2]);
  });

  it('tells apart other constants, options and sizes, but not the order of options', async () => {
    const runtime = counting();
    const all = [
      await compile(runtime, trace()),
      await compile(runtime, trace(3)),
      await compile(runtime, trace(), { threads: 2 }),
      await compile(runtime, trace(), { threads: 2, prepack: false }),
      await compile(runtime, trace(), { prepack: false, threads: 2 }),
    ];
    expect(new Set(all.map(c => c.hash)).size).toBe(4);
    expect(runtime.compiled).toBe(4);
    for (const c of all) await c.release();
    expect(runtime.released).toBe(4);
  });

  it('`await using` releases, also when the body throws', async () => {
    const runtime = counting();
    const attempt = async (): Promise<void> => {
      await using compiled = await compile(runtime, trace());
      await compiled.run({});
    };
    await expect(attempt()).rejects.toThrow(/not fed/);
    expect(runtime.released).toBe(1);
  });

  it('closes the session of a compiled graph that is forgotten', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const runtime = counting();
    await (async () => (await compile(runtime, trace())).run(feeds))();
    for (let i = 0; i < 50 && runtime.released === 0; i++) {
      collect();
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    expect(runtime.released).toBe(1);
  });

  it('waits for runs under way', async () => {
    const compiled = await compile(node, trace());
    const run = compiled.run(feeds);
    await compiled.release();
    expect((await run).g.data).toEqual(Float32Array.of(4, 8, 12, 16));
  });

  it('forgets what could not be compiled', async () => {
    const runtime = counting();
    const bad = {
      ...runtime,
      compile: () => (runtime.compiled++ ? runtime.compile(new Uint8Array([1])) : Promise.reject(new Error('no memory'))),
    };
    await expect(compile(bad, trace())).rejects.toThrow('no memory');
    await expect(compile(bad, trace())).rejects.toThrow(/protobuf/i);
  });

  it('merges equal computations and leaves out what no output needs', () => {
    const x = input('x', [4]);
    const graph = lower({ y: add(mul(square(x), square(x)), mul(square(x), square(x))) });
    expect(graph.nodes.map(n => n.opType)).toEqual(['Mul', 'Mul', 'Add', 'Identity']);
    const unused = input('unused', [4]);
    expect(lower({ g: grad(sum(add(x, unused)), [x])[0] }).inputs).toEqual([]);
  });
});

/** A transformer-like graph: attention, MLP, embedding with gradients of everything. */
function block(): { outputs: Record<string, Value>; feeds: Record<string, Tensor> } {
  const [ids, table] = [input('ids', ['batch', 'seq'], 'int32'), input('table', [50, 32])];
  const [w1, b1, w2] = [input('w1', [64, 32]), input('b1', [64]), input('w2', [32, 64])];
  const [gain, bias] = [input('gain', [32]), input('bias', [32])];
  const x = layerNorm(gather(table, ids), gain, bias);
  const attention = softmax(matmul(x, x, { transB: true, alpha: 0.2 }));
  const y = linear(gelu(linear(add(x, matmul(attention, x)), w1, b1)), w2);
  const names = { table, w1, b1, w2, gain, bias };
  const gradients = grad(mean(square(reshape(y, ['batch*seq', 32]))), Object.values(names));
  return {
    outputs: { y, ...Object.fromEntries(Object.keys(names).map((name, i) => [`grad.${name}`, gradients[i]])) },
    feeds: {
      ids: ints(
        [8, 40],
        Array.from({ length: 320 }, (_, i) => (i * i) % 7),
      ),
      ...Object.fromEntries(Object.entries(names).map(([name, v], i) => [name, normals(v.shape as number[], i, 0.5)])),
    },
  };
}

describe('determinism', () => {
  it('is bit-equal from run to run and close between thread counts', async () => {
    const { outputs, feeds } = block();
    const results: Record<string, Tensor>[] = [];
    for (const threads of [1, 2]) {
      await using compiled = await compile(node, outputs, { threads });
      const first = await compiled.run(feeds);
      for (let i = 0; i < 20; i++) {
        const again = await compiled.run(feeds);
        for (const name of Object.keys(first)) expect(Buffer.compare(bytes(again[name]), bytes(first[name])), name).toBe(0);
      }
      results.push(first);
    }
    for (const name of Object.keys(results[0]))
      expectClose(results[1][name].data as Float32Array, results[0][name].data as Float32Array, { rtol: 1e-5, atol: 1e-7, label: name });
  });

  it('adds the gradients of thousands of equal indices exactly', async () => {
    const [n, width] = [5000, 64];
    const [table, ids, u] = [input('table', [7, width]), input('ids', [n], 'int32'), input('u', [n, width])];
    const [g] = grad(sum(mul(gather(table, ids), u)), [table]);
    await using compiled = await compile(node, { g }, { threads: 2 });
    // Whole numbers, so that float32 sums are exact and one lost addition shows.
    const feeds = {
      table: floats([7, width], new Float32Array(7 * width)),
      ids: ints(
        [n],
        Array.from({ length: n }, (_, i) => i % 3),
      ),
      u: floats(
        [n, width],
        Float32Array.from({ length: n * width }, (_, i) => i % 5),
      ),
    };
    const expected = new Float32Array(7 * width);
    for (let i = 0; i < n; i++) for (let d = 0; d < width; d++) expected[(i % 3) * width + d] += (i * width + d) % 5;
    for (let run = 0; run < 10; run++) expect((await compiled.run(feeds)).g.data).toEqual(expected);
  });
});

const bytes = (t: Tensor): Uint8Array => new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength);

describe('memory', () => {
  it('does not grow over 10 000 runs', async () => {
    await using compiled = await compile(node, trace());
    const run = async (times: number): Promise<number> => {
      for (let i = 0; i < times; i++) await compiled.run(feeds);
      return process.memoryUsage().rss / 2 ** 20;
    };
    const before = await run(3000);
    expect((await run(10_000)) - before).toBeLessThan(30);
  });

  it('does not grow over 200 sessions', async () => {
    const cycle = async (times: number): Promise<number> => {
      for (let i = 0; i < times; i++) await (await compile(node, trace(i))).release();
      return process.memoryUsage().rss / 2 ** 20;
    };
    const before = await cycle(50);
    expect((await cycle(200)) - before).toBeLessThan(30);
  });
});

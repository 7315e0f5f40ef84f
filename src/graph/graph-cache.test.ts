import { afterAll, describe, expect, it } from 'vitest';
import { nodeRuntime } from '../runtime/node.ts';
import { floats } from '../tensor/tensor.ts';
import { add, type CompiledGraph, cacheKey, compile, GraphCache, input, type Releasable } from './index.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.release());
const build = (): Promise<CompiledGraph> => compile(runtime, { y: add(input('x', ['n']), 1) });

describe('GraphCache', () => {
  it('compiles once per key and closes all on release, those being compiled too', async () => {
    const cache = new GraphCache();
    const graph = await cache.keep('a', build);
    expect(await cache.keep('a', build)).toBe(graph);
    expect(Array.from((await graph.run({ x: floats([2], [1, 2]) })).y.data as Float32Array)).toEqual([2, 3]);
    let closed = 0;
    const counted = async () => ({ release: async () => void closed++ });
    await cache.keep('b', counted);
    void cache.keep('c', () => new Promise<Releasable>(resolve => setTimeout(resolve, 5, { release: async () => void closed++ })));
    await cache.release();
    expect(closed).toBe(2);
    await expect(graph.run({ x: floats([2], [1, 2]) })).rejects.toThrow();
    await using again = await cache.keep('a', build);
    expect(Array.from((await again.run({ x: floats([1], [4]) })).y.data as Float32Array)).toEqual([5]);
  });

  it('compiles again what could not be compiled', async () => {
    const cache = new GraphCache();
    await expect(cache.keep('a', () => Promise.reject(new Error('no memory')))).rejects.toThrow('no memory');
    expect(await cache.keep('a', build)).toBeDefined();
    await cache.release();
  });
});

describe('cacheKey', () => {
  it('does not depend on the order of parts, but on each part', () => {
    const key = cacheKey('forward', { size: [3, 8, 8], labels: true, more: { b: 1, a: undefined } });
    expect(cacheKey('forward', { more: { b: 1 }, labels: true, size: [3, 8, 8] })).toBe(key);
    for (const other of [
      cacheKey('backward', { size: [3, 8, 8], labels: true, more: { b: 1 } }),
      cacheKey('forward', { size: [3, 88], labels: true, more: { b: 1 } }),
      cacheKey('forward', { size: [3, 8, 8], labels: 'true', more: { b: 1 } }),
      cacheKey('forward', { size: [3, 8, 8], labels: true, more: { b: 2 } }),
      cacheKey('forward', { size: [3, 8, 8], labels: true }),
    ])
      expect(other).not.toBe(key);
  });
});

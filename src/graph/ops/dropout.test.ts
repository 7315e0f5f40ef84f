import { afterAll, describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../runtime/node.ts';
import { floats, ints, zeros } from '../../tensor/tensor.ts';
import { compile, grad, input, keepMask, mul, sum } from '../index.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.release());

/** Masks of [batch, seq, 64] by stream. */
async function masks(probability: number, seed: number, streams: readonly number[], batch = 4, seq = 50): Promise<Float32Array[]> {
  const x = input('x', ['batch', 'seq', 64]);
  const s = input('seed', [], 'int32');
  const outputs = Object.fromEntries(streams.map((stream, i) => [`m${i}`, keepMask(x, s, probability, stream)]));
  await using graph = await compile(runtime, outputs);
  const out = await graph.run({ x: zeros('float32', [batch, seq, 64]), seed: ints([], [seed]) });
  for (const i of streams.keys()) expect(out[`m${i}`].shape).toEqual([batch, seq, 64]);
  return streams.map((_, i) => out[`m${i}`].data as Float32Array);
}

const dropped = (mask: Float32Array): number[] => Array.from(mask, v => (v === 0 ? 1 : 0));
const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe('keepMask', () => {
  it.each([0.05, 0.5])('drops a share of %f, in rows and columns alike, and keeps the mean', async p => {
    const [mask] = await masks(p, 7, [3]);
    expect(new Set(mask)).toEqual(new Set([0, Math.fround(1 / (1 - p))]));
    const gone = dropped(mask);
    const within = (share: number, n: number): void => expect(Math.abs(share - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / n));
    within(meanOf(gone), gone.length);
    for (let c = 0; c < 64; c++) within(meanOf(gone.filter((_, i) => i % 64 === c)), 200);
    for (let r = 0; r < 200; r++) within(meanOf(gone.slice(r * 64, r * 64 + 64)), 64);
  });

  it('is the same for the same seed and stream; neighbours, other seeds and other streams are independent', async () => {
    const p = 0.3;
    const [[a, b], [again], [other]] = await Promise.all([masks(p, 1, [5, 6]), masks(p, 1, [5]), masks(p, 2, [5])]);
    expect(again).toEqual(a);
    const x = dropped(a);
    const near = (share: number): void => expect(Math.abs(share - p * p)).toBeLessThan(5 * Math.sqrt((p * p) / x.length));
    for (const mask of [b, other]) near(meanOf(dropped(mask).map((v, i) => v * x[i])));
    for (const lag of [1, 2, 63, 64, 65, 128]) near(meanOf(x.map((v, i) => v * x[(i + lag) % x.length])));
  });

  it('probability 0 keeps all; no gradient passes the mask, and the product has it', async () => {
    const [mask] = await masks(0, 1, [0]);
    expect(new Set(mask)).toEqual(new Set([1]));
    const x = input('x', [2, 3]);
    const seed = input('seed', [], 'int32');
    const m = keepMask(x, seed, 0.5, 0);
    const [g] = grad(sum(mul(x, m)), [x]);
    await using graph = await compile(runtime, { m, g });
    const out = await graph.run({ x: floats([2, 3], [1, 2, 3, 4, 5, 6]), seed: ints([], [3]) });
    expect(out.g.data).toEqual(out.m.data);
  });
});

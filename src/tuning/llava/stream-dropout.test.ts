import { describe, expect, it } from 'vitest';
import { compile, input } from '../../graph/index.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { floats } from '../../tensor/tensor.ts';
import { dropoutRateOf, streamDropout, streamDropoutFeeds } from './stream-dropout.ts';

describe('dropout on the stream', () => {
  it('acts behind the named block only, keeps the mean, and has the variance of the noise that it matches', async () => {
    const runtime = nodeRuntime({ threads: 1 });
    const [alpha, variance] = [0.8, 0.5];
    const rate = dropoutRateOf(alpha, variance);
    expect(rate).toBeCloseTo(0.32 / 1.32, 12);
    const { tap } = streamDropout({ layers: [1], rate });
    const hidden = input('hidden', ['batch', 'seq', 64]);
    const graph = await compile(runtime, { before: tap(0, hidden, {} as never), behind: tap(1, hidden, {} as never) });
    const run = async (step: number): Promise<Record<string, ArrayLike<number>>> => {
      const out = await graph.run({ hidden: floats([4, 100, 64], new Float32Array(25_600).fill(3)), ...streamDropoutFeeds(7, step) });
      return { before: out.before.data as Float32Array, behind: out.behind.data as Float32Array };
    };
    const { before, behind } = await run(0);
    expect(new Set(Array.from(before))).toEqual(new Set([3]));
    const values = Array.from(behind);
    expect(new Set(values)).toEqual(new Set([0, Math.fround(3 * Math.fround(1 / (1 - rate)))]));
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const spread = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    // Standard errors: 0.011 of the mean, 0.03 of the variance.
    expect(Math.abs(mean - 3)).toBeLessThan(0.05);
    expect(Math.abs(spread - alpha * alpha * variance * 9)).toBeLessThan(0.12);
    expect(Array.from((await run(0)).behind)).toEqual(values);
    expect(Array.from((await run(1)).behind)).not.toEqual(values);
    await graph.release();
    await runtime.release();
  });
});

import { describe, expect, it } from 'vitest';
import { NarrowsError } from '../system/errors.ts';
import { RandomStream } from '../tensor/random.ts';
import { expectClose } from '../testing/close.ts';
import { MIN_DEVIATION, RunningStatistics, sampleStatistics } from './statistics.ts';

const width = 6;
const rows = 50;
/** Channels of very different means and scales: the one-pass sum of squares would lose the last one. */
const data = new RandomStream(1, 'statistics.test')
  .normals(0, 0, new Float32Array(rows * width))
  .map((v, i) => [v, 10 * v, 3 + v, -200 + 0.5 * v, 0.02 * v, 1e5 + v][i % width]);

function twoPass(values: Float32Array): { mean: number[]; deviation: number[] } {
  const count = values.length / width;
  const channels = Array.from({ length: width }, (_, d) => [...values].filter((_, i) => i % width === d));
  const mean = channels.map(c => c.reduce((a, b) => a + b, 0) / count);
  return { mean, deviation: channels.map((c, d) => Math.sqrt(c.reduce((sum, v) => sum + (v - mean[d]) ** 2, 0) / (count - 1))) };
}

describe('RunningStatistics', () => {
  it('agrees with two passes over all rows, however they are dealt out', () => {
    const expected = twoPass(data);
    for (const cuts of [
      [0, rows],
      [0, 1, 2, rows],
      [0, 7, 7, 30, rows],
    ]) {
      const running = new RunningStatistics(width);
      for (let i = 1; i < cuts.length; i++) running.update(data.subarray(cuts[i - 1] * width, cuts[i] * width));
      expect(running.count).toBe(rows);
      const { mean, deviation } = running.result();
      expectClose(mean, expected.mean, { rtol: 1e-6 });
      expectClose(deviation, expected.deviation, { rtol: 1e-6 });
    }
  });

  it('never divides by nothing: a constant channel gets the least deviation', () => {
    const running = new RunningStatistics(2);
    running.update(Float32Array.of(5, 1, 5, 2, 5, 3));
    const { mean, deviation } = running.result();
    expect([...mean]).toEqual([5, 2]);
    expect(deviation[0]).toBe(Math.fround(MIN_DEVIATION));
    expect(deviation[1]).toBeCloseTo(1, 6);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('refuses %d', value => {
    const update = (): void => new RunningStatistics(2).update(Float32Array.of(1, 2, 3, value, 5, 6));
    expect(update).toThrow(NarrowsError);
    expect(update).toThrow('A hidden state has NaN or infinite values; is the checkpoint damaged?');
  });

  it('needs two rows', () => {
    const running = new RunningStatistics(2);
    for (let i = 0; i < 2; i++) {
      expect(() => running.result()).toThrow('Statistics need at least two tokens; use normalisation "none" for a single one.');
      if (i === 0) running.update(Float32Array.of(1, 2));
    }
    running.update(Float32Array.of(3, 4));
    expect([...running.result().mean]).toEqual([2, 3]);
  });
});

describe('sampleStatistics', () => {
  it('takes only the rows that it is given', () => {
    const { mean, deviation } = sampleStatistics(data.subarray(0, 10 * width), width);
    const expected = twoPass(data.slice(0, 10 * width));
    expectClose(mean, expected.mean, { rtol: 1e-6 });
    expectClose(
      deviation,
      expected.deviation.map(v => Math.max(v, MIN_DEVIATION)),
      { rtol: 1e-6 },
    );
  });
});

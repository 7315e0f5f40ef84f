/** @file Complexity and cost: closed forms. */
import { describe, expect, it } from 'vitest';
import { judge, wordsSample } from './testing/samples.ts';

const of = (name: string, map: readonly number[], options = {}): Promise<number> => judge(name, wordsSample(map, map), options);
const one = [0, 0, 5, 0];
const flat = [2, 2, 2, 2];

describe('complexity', () => {
  it('entropy is ln n for a constant map, 0 where one player has all, and blind to signs', async () => {
    expect(await of('entropy', flat)).toBeCloseTo(Math.log(4), 12);
    expect(await of('entropy', one)).toBeCloseTo(0, 12);
    expect(await of('entropy', [1, -1, 2])).toBeCloseTo(0.5 * Math.log(4) + 0.5 * Math.log(2), 12);
    expect(await of('entropy', [0, 0])).toBeNaN();
    expect(await of('entropy', [3])).toBeCloseTo(0, 12);
  });

  it('Gini is 0 for a constant map, (n − 1) / n where one player has all, and blind to signs and scale', async () => {
    expect(await of('gini', flat)).toBeCloseTo(0, 12);
    expect(await of('gini', one)).toBeCloseTo(0.75, 12);
    // Σ (2i − n − 1) x = −2 + 0 + 6 over 3 · 6 = 2/9 for 1, 2, 3 in any order.
    expect(await of('gini', [3, -1, 2])).toBeCloseTo(4 / 18, 12);
    expect(await of('gini', [30, -10, 20])).toBeCloseTo(4 / 18, 12);
    expect(await of('gini', [0, 0])).toBeNaN();
  });

  it('effective complexity counts what is above the threshold, of the largest or as it is', async () => {
    expect(await of('effective-complexity', one)).toBe(1);
    expect(await of('effective-complexity', flat)).toBe(4);
    expect(await of('effective-complexity', [10, 1, -2, 0.5])).toBe(2);
    expect(await of('effective-complexity', [10, 1, -2, 0.5], { epsilon: 0.75, relative: false })).toBe(3);
    expect(await of('effective-complexity', [0, 0])).toBe(0);
  });
});

describe('cost', () => {
  const sample = { ...wordsSample([1, 2], [1, 2]), cost: { forward: 3, backward: 2, seconds: 0.5, peakBytes: 3 * 2 ** 20 } };

  it('is what was counted', async () => {
    const names = ['forward-passes', 'backward-passes', 'seconds', 'peak-memory'];
    expect(await Promise.all(names.map(name => judge(name, sample)))).toEqual([3, 2, 0.5, 3]);
  });

  it('has no memory where none was measured', async () => {
    expect(await judge('peak-memory', { ...sample, cost: { forward: 1, backward: 0, seconds: 1 } })).toBeNaN();
  });
});

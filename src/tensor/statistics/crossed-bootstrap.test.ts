import { describe, expect, it } from 'vitest';
import { RandomStream } from '../random.ts';
import { type Cell, crossedBootstrap } from './crossed-bootstrap.ts';

const cell = (value: number): Cell => ({ sum: value, count: 1 });
const random = new RandomStream(3, 'crossed');

describe('the crossed bootstrap', () => {
  it('gives the mean of all values, cells of several counted as such', () => {
    const { estimate } = crossedBootstrap([[{ sum: 3, count: 3 }, cell(5)]], { random });
    expect(estimate).toBe(2);
  });

  it('has no width where all cells are the same, and the width of rows only where columns agree', () => {
    const flat = crossedBootstrap(
      [
        [cell(2), cell(2)],
        [cell(2), cell(2)],
      ],
      { random },
    );
    expect([flat.low, flat.high]).toEqual([2, 2]);
    const rows = crossedBootstrap(
      Array.from({ length: 40 }, (_, i) => Array.from({ length: 3 }, () => cell(i % 2))),
      { random },
    );
    // The mean of 40 fair coins has a standard error of 0.079.
    expect(rows.standardError).toBeGreaterThan(0.065);
    expect(rows.standardError).toBeLessThan(0.095);
  });

  it('covers the mean of a two-way normal table about as often as it says', () => {
    const noise = new RandomStream(5, 'table');
    let covered = 0;
    for (let t = 0; t < 200; t++) {
      const reader = noise.reader(t, 0);
      const [a, b] = [Array.from({ length: 8 }, () => reader.normal()), Array.from({ length: 30 }, () => reader.normal())];
      const table = a.map(x => b.map(y => cell(x + y + reader.normal())));
      const { low, high } = crossedBootstrap(table, { random, step: t, resamples: 300 });
      if (low <= 0 && high >= 0) covered++;
    }
    // Few rows make percentiles a little narrow; Owen's extra variance makes them a little wide.
    expect(covered).toBeGreaterThan(172);
    expect(covered).toBeLessThan(199);
  });

  it('refuses a ragged or an empty table', () => {
    expect(() => crossedBootstrap([[cell(1)], []], { random })).toThrow('same columns');
    expect(() => crossedBootstrap([[{ sum: 0, count: 0 }]], { random })).toThrow('no values');
  });
});

import { describe, expect, it } from 'vitest';
import { expectClose } from './close.ts';

describe('expectClose', () => {
  it('accepts what lies within the tolerance', () => {
    expectClose([1, 2.00001, Number.NaN, Number.POSITIVE_INFINITY, 0], [1, 2, Number.NaN, Number.POSITIVE_INFINITY, -0]);
    expectClose([1e-9], [0]);
    expectClose(BigInt64Array.of(3n), [3]);
  });

  it('names the worst element', () => {
    expect(() => expectClose([1, 2.1, 3.5], [1, 2, 3], { label: 'y' })).toThrow(/y: element 2 is 3.5, expected 3/);
    for (const [a, e] of [
      [Number.NaN, 1],
      [1, Number.NaN],
      [Number.POSITIVE_INFINITY, 1],
      [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    ])
      expect(() => expectClose([0, a], [0, e])).toThrow(/element 1/);
    expect(() => expectClose([1], [1, 2])).toThrow(/number of elements/);
  });
});

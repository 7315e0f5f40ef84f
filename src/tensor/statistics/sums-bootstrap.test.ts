import { describe, expect, it } from 'vitest';
import { RandomStream } from '../random.ts';
import { bootstrap } from './bootstrap.ts';
import { sumsBootstrap } from './sums-bootstrap.ts';

const random = new RandomStream(3, 'test');
const ratio = (sums: ArrayLike<number>): number => sums[0] / sums[1];

describe('a bootstrap of sums', () => {
  const items = Array.from({ length: 40 }, (_, i) => [(i * 7) % 5, 5 + (i % 3)]);

  it('is the bootstrap of the items', () => {
    const whole = bootstrap(
      items,
      drawn => {
        const sums = [0, 0];
        for (const [a, b] of drawn) {
          sums[0] += a;
          sums[1] += b;
        }
        return ratio(sums);
      },
      { random },
    );
    expect(sumsBootstrap(items, ratio, { random })).toEqual(whole);
    expect(whole.low).toBeLessThan(whole.estimate);
  });

  it('has no bounds of one item, or of a figure that is often undefined', () => {
    expect(sumsBootstrap([[1, 2]], ratio, { random })).toMatchObject({ estimate: 0.5, low: Number.NaN });
    expect(sumsBootstrap([], () => Number.NaN, { random })).toMatchObject({ high: Number.NaN });
    const rare = [[1, 1], ...Array.from({ length: 9 }, () => [0, 0])];
    expect(sumsBootstrap(rare, ratio, { random }).low).toBeNaN();
  });

  it('passes a figure over that is undefined on a resample now and then', () => {
    const some = [...Array.from({ length: 5 }, () => [1, 1]), ...Array.from({ length: 5 }, () => [0, 0])];
    const { low, high } = sumsBootstrap(some, ratio, { random });
    expect([low, high]).toEqual([1, 1]);
  });
});

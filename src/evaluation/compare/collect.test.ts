import { describe, expect, it } from 'vitest';
import { meanCurve, resample } from './collect.ts';

describe('a curve at equal shares', () => {
  it('is straight between its points, and keeps its ends', () => {
    expect(resample([0, 4, 2], 5)).toEqual([0, 2, 4, 3, 2]);
    expect(resample([1, 2, 4, 8], 4)).toEqual([1, 2, 4, 8]);
    expect(resample([0, 16])).toEqual(Array.from({ length: 17 }, (_, k) => k));
  });
});

describe('the mean of curves', () => {
  it('is point by point, with 1.96 standard errors on each side', () => {
    const { mean, low, high } = meanCurve([
      [0, 10],
      [4, 10, 16],
      [8, 10],
    ]);
    expect(mean).toHaveLength(17);
    expect([mean[0], mean[8], mean[16]]).toEqual([4, (5 + 10 + 9) / 3, 12]);
    // 0, 4 and 8: a standard deviation of 4 over √3.
    expect(high![0] - mean[0]).toBeCloseTo((1.959964 * 4) / Math.sqrt(3), 3);
    expect(mean[0] - low![0]).toBeCloseTo((1.959964 * 4) / Math.sqrt(3), 3);
    expect(high![16] - mean[16]).toBeCloseTo((1.959964 * Math.sqrt(12)) / Math.sqrt(3), 3);
  });

  it('has no interval where there is one curve', () => {
    expect(meanCurve([[1, 1]])).toEqual({ mean: Array(17).fill(1) });
  });
});

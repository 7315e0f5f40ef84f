/** @file Localisation metrics on maps whose overlap with the truth can be counted by hand. */
import { describe, expect, it } from 'vitest';
import { otsuThreshold } from './iou.ts';
import type { MetricSample } from './metric.ts';
import { judge, truthSample, wordsSample } from './testing/samples.ts';

const SIZE = [3, 4] as const;
/** The named thing: four of twelve pixels. */
const TRUTH = [0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0];
const on = (map: readonly number[]): MetricSample => truthSample(map, TRUTH, SIZE);
const perfect = TRUTH.map(v => 3 * v);
const opposite = TRUTH.map(v => 1 - v);
const flat = TRUTH.map(() => 2);
const zeros = TRUTH.map(() => 0);
const words = (map: readonly number[], truth: readonly number[]): MetricSample => ({
  ...wordsSample(map, map),
  truth: Uint8Array.from(truth),
});

const SHARES = ['pointing-game', 'energy-pointing-game', 'relevance-mass', 'relevance-rank', 'iou', 'pixel-auc', 'pixel-ap', 'pgr'];

describe.each(SHARES)('%s', name => {
  it('is 1 for the truth itself and low for its opposite, for pictures and captions', async () => {
    expect(await judge(name, on(perfect))).toBe(1);
    expect(await judge(name, words([0, 2, 2, 0], [0, 1, 1, 0]))).toBe(1);
    // Average precision of the worst order is not 0: the last four of twelve are still found.
    expect(await judge(name, on(opposite))).toBeLessThan(name === 'pixel-ap' ? 0.34 : 0.001);
    expect(await judge(name, words([1, 0, 0, 1], [0, 1, 1, 0]))).toBeLessThan(name === 'pixel-ap' ? 0.51 : 0.001);
  });

  it('does not see the scale of the map', async () => {
    const map = [5, 1, 0, 2, 3, 8, 12, 4, 0.5, 7, 1.5, 9];
    const one = await judge(name, on(map));
    expect(await judge(name, on(map.map(v => 4 * v)))).toBeCloseTo(one, 12);
    expect(one).toBeGreaterThan(0);
    expect(one).toBeLessThanOrEqual(1);
  });

  it('says of a map of one value what its description says', async () => {
    const expected: Record<string, number> = {
      'pointing-game': 1 / 3,
      'energy-pointing-game': 1 / 3,
      'relevance-mass': 1 / 3,
      'relevance-rank': Number.NaN,
      iou: Number.NaN,
      'pixel-auc': 0.5,
      'pixel-ap': Number.NaN,
      pgr: 1 / 3,
    };
    expect(await judge(name, on(flat))).toEqual(Number.isNaN(expected[name]) ? Number.NaN : expect.closeTo(expected[name], 12));
    const ofZeros = await judge(name, on(zeros));
    if (['pointing-game', 'pixel-auc'].includes(name)) expect(ofZeros).toBeCloseTo(expected[name], 12);
    else expect(ofZeros).toBeNaN();
  });
});

describe('pointing game', () => {
  it('gives ties their share', async () => {
    expect(await judge('pointing-game', on([9, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0]))).toBe(0.5);
    expect(await judge('pointing-game', on([9, 0, 0, 0, 0, 9, 9, 0, 0, 0, 0, 0]))).toBeCloseTo(2 / 3, 12);
  });

  it('takes what only rounding keeps from the maximum for a maximum', async () => {
    expect(await judge('pointing-game', words([1, 1 - 2 ** -24, 0], [0, 1, 0]))).toBe(0.5);
    expect(await judge('pointing-game', words([1, 1 - 2 ** -12, 0], [0, 1, 0]))).toBe(0);
  });

  it('forgives as many pixels as asked for, in a circle', async () => {
    const corner = [9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const left = [0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0];
    expect(await judge('pointing-game', on(left))).toBe(0);
    expect(await judge('pointing-game', on(left), { tolerance: 1 })).toBe(1);
    // The corner is √2 away from the thing.
    expect(await judge('pointing-game', on(corner), { tolerance: 1 })).toBe(0);
    expect(await judge('pointing-game', on(corner), { tolerance: 2 })).toBe(1);
    expect(await judge('pointing-game', words([9, 0], [0, 1]), { tolerance: 5 })).toBe(0);
  });

  it('follows a map of negative values to the least negative', async () => {
    expect(await judge('pointing-game', on(TRUTH.map(v => v - 5)))).toBe(1);
  });
});

describe('energy, mass and pointing-game recognition', () => {
  const signed = [-2, 0, 0, 0, 0, 3, -1, 0, 0, 0, 0, 4];

  it('count only the positive part, the signed sum, or what lies where it should', async () => {
    expect(await judge('energy-pointing-game', on(signed))).toBeCloseTo(3 / 7, 12);
    expect(await judge('relevance-mass', on(signed))).toBeCloseTo(3 / 7, 12);
    expect(await judge('relevance-mass', on(signed), { signed: true })).toBeCloseTo(2 / 4, 12);
    // 3 inside and the 2 below zero outside, of 10.
    expect(await judge('pgr', on(signed))).toBeCloseTo(5 / 10, 12);
  });

  it('are not defined where nothing is positive, or the signed sum is 0', async () => {
    const below = TRUTH.map(v => v - 1);
    expect(await judge('energy-pointing-game', on(below))).toBeNaN();
    expect(await judge('relevance-mass', on(below))).toBeNaN();
    expect(await judge('relevance-mass', on([1, -1, ...zeros.slice(2)]), { signed: true })).toBeNaN();
    expect(await judge('pgr', on(below))).toBe(1);
  });

  it('enlarge patches bilinearly to the pixels of the truth', async () => {
    // A row of two patches becomes 0, ¼, ¾, 1: the right half holds 1¾ of 2.
    const sample: MetricSample = { ...truthSample([0, 1], [0, 0, 1, 1], [1, 4]), grid: [1, 2] };
    expect(await judge('energy-pointing-game', sample)).toBeCloseTo(1.75 / 2, 6);
    expect(await judge('pointing-game', sample)).toBe(1);
  });
});

describe('a constant map of patches', () => {
  it('stays constant when enlarged, whatever the interpolation rounds', async () => {
    const truth = Array.from({ length: 77 }, (_, i) => (i < 11 ? 1 : 0));
    for (const value of [0.1, 1 / 3, 1e-7]) {
      const sample: MetricSample = { ...truthSample(new Array(9).fill(value), truth, [7, 11]), grid: [3, 3] };
      for (const name of ['relevance-rank', 'iou', 'pixel-ap', 'iou-at-threshold']) expect(await judge(name, sample)).toBeNaN();
      for (const name of ['pointing-game', 'energy-pointing-game']) expect(await judge(name, sample)).toBeCloseTo(1 / 7, 9);
      expect(await judge('pixel-auc', sample)).toBe(0.5);
    }
  });
});

describe('relevance rank', () => {
  it('is the share of the truth among as many highest', async () => {
    expect(await judge('relevance-rank', on([9, 8, 0, 0, 0, 7, 0, 0, 0, 6, 5, 0]))).toBe(0.5);
    expect(await judge('relevance-rank', words([3, 2, 1], [1, 0, 1]))).toBe(0.5);
    expect(await judge('relevance-rank', words([3, 2, 1], [1, 0, 1]), { top: 1 })).toBe(1);
    expect(await judge('relevance-rank', words([3, 2, 1], [1, 0, 1]), { top: 9 })).toBeCloseTo(2 / 3, 12);
  });
});

describe('pixel AUC and AP', () => {
  it('are counted pair by pair and step by step', async () => {
    // Inside 3 and 1, outside 2 and 0: three of four pairs in order; precision 1 at the first, ⅔ at the second.
    expect(await judge('pixel-auc', words([3, 2, 1, 0], [1, 0, 1, 0]))).toBe(0.75);
    expect(await judge('pixel-ap', words([3, 2, 1, 0], [1, 0, 1, 0]))).toBeCloseTo((1 + 2 / 3) / 2, 12);
  });

  it('count ties half, or as one step', async () => {
    expect(await judge('pixel-auc', words([2, 2, 1], [1, 0, 0]))).toBe(0.75);
    expect(await judge('pixel-ap', words([2, 2, 1], [1, 0, 0]))).toBe(0.5);
  });

  it('say nothing where the truth is everything (AUC)', async () => {
    expect(await judge('pixel-auc', words([2, 1], [1, 1]))).toBeNaN();
    expect(await judge('pixel-ap', words([2, 1], [1, 1]))).toBe(1);
  });
});

describe('IoU', () => {
  const map = [0, 0, 0, 0, 0, 10, 6, 0, 0, 4, 2, 7];

  it('marks by area, fixed share, mean or Otsu', async () => {
    // The four highest: 10, 7, 6, 4: three of them on the thing, five in the union.
    expect(await judge('iou', on(map))).toBeCloseTo(3 / 5, 12);
    // At least 5: 10, 6, 7.
    expect(await judge('iou', on(map), { threshold: 'fixed' })).toBeCloseTo(2 / 5, 12);
    expect(await judge('iou', on(map), { threshold: 'fixed', at: 0.4 })).toBeCloseTo(3 / 5, 12);
    // The mean is 29 / 12: all but the 2.
    expect(await judge('iou', on(map), { threshold: 'mean' })).toBeCloseTo(3 / 5, 12);
    // The best cut of 0×7, 2, 4, 6, 7, 10 is between 2 and 4.
    expect(await judge('iou', on(map), { threshold: 'otsu' })).toBeCloseTo(3 / 5, 12);
    // The highest quarter: 10, 7, 6. At least one pixel is marked.
    expect(await judge('iou', on(map), { threshold: 'top', at: 0.25 })).toBeCloseTo(2 / 5, 12);
    expect(await judge('iou', on(map), { threshold: 'top', at: 0 })).toBeCloseTo(1 / 4, 12);
    expect(await judge('iou-at-threshold', on(map))).toBeCloseTo(2 / 5, 12);
    expect(await judge('iou-at-threshold', on(map), { at: 1 })).toBeCloseTo(1 / 4, 12);
    expect(await judge('iou-at-threshold', on(flat))).toBeNaN();
  });

  it('cuts between two clusters with Otsu', () => {
    const low = [0, 0.1, 0.2, 0.1, 0];
    const high = [5, 5.1, 4.9];
    const cut = otsuThreshold([...low, ...high]);
    expect(cut).toBeGreaterThan(0.2);
    expect(cut).toBeLessThanOrEqual(4.9);
    // Clusters far apart in size all the same; scale and shift go along.
    const few = otsuThreshold([...Array.from({ length: 100 }, (_, i) => (i % 5) / 10), 9, 9.2]);
    expect(few).toBeGreaterThan(0.4);
    expect(few).toBeLessThanOrEqual(9);
    expect(otsuThreshold([-100, -100, 300, 300])).toBeGreaterThan(-100);
    expect(otsuThreshold([-100, -100, 300, 300])).toBeLessThanOrEqual(300);
  });
});

describe('grid pointing game', () => {
  const cell = [1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  const mosaic = (map: readonly number[], truth = cell): MetricSample => truthSample(map, truth, [4, 4]);

  it('is the energy in the cell', async () => {
    expect(await judge('grid-pointing-game', mosaic(cell))).toBe(1);
    expect(await judge('grid-pointing-game', mosaic(cell.map(() => 1)))).toBe(0.25);
    expect(await judge('grid-pointing-game', mosaic([...cell].reverse()))).toBe(0);
    expect(await judge('grid-pointing-game', mosaic(cell.map(v => v - 1)))).toBeNaN();
  });

  it('says nothing where the truth is no cell: not on the lines, not full, or everything', async () => {
    const beside = [0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const holed = [1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const odd = [1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0];
    const below = [0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0];
    for (const truth of [beside, below, holed, odd, cell.map(() => 1)])
      expect(await judge('grid-pointing-game', mosaic(cell, truth))).toBeNaN();
  });
});

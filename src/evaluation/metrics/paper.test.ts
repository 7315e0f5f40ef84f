/** @file Confidence drop and increase as M2IB's evaluation has them, corrected and as published. */
import { describe, expect, it } from 'vitest';
import { additiveGame } from '../../attribution/game.ts';
import type { MetricSample } from './metric.ts';
import { judge, pixelsSample, wordsSample } from './testing/samples.ts';

const SIZE = [4, 4] as const;
/** A blob in the middle: zero in the first row. */
const BLOB = [0, 0, 0, 0, 0, 4, 2, 0, 0, 2, 1, 0, 0, 0, 0, 0];
const PLANE = [0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 0.3, 0.1, 0.1, 0.3, 0.4, 0.1, 0.1, 0.1, 0.1, 0.1];
const WHOLE = 3 * 2.4;

describe('cosine drop and increase of pictures', () => {
  it('multiply the image by the min–max map', async () => {
    const masked = 3 * (0.2 + 0.3 / 2 + 0.3 / 2 + 0.4 / 4);
    expect(await judge('cosine-drop', pixelsSample(BLOB, PLANE, SIZE))).toBeCloseTo(100 * (WHOLE - masked), 3);
    expect(await judge('cosine-increase', pixelsSample(BLOB, PLANE, SIZE))).toBe(0);
    // Scale and offset do not matter.
    const other = pixelsSample(
      BLOB.map(v => 3 * v - 7),
      PLANE,
      SIZE,
    );
    expect(await judge('cosine-drop', other)).toBeCloseTo(100 * (WHOLE - masked), 3);
  });

  it('lose nothing, and count an increase, where what is darkened was worth less than nothing', async () => {
    const plane = PLANE.map((v, i) => (BLOB[i] === 4 ? 1 : -v));
    expect(await judge('cosine-drop', pixelsSample(BLOB, plane, SIZE))).toBe(0);
    expect(await judge('cosine-increase', pixelsSample(BLOB, plane, SIZE))).toBe(100);
  });

  it('as published read the first row: a centred blob masks everything, a blob at the top is a mask of columns', async () => {
    const official = { officialFirstRow: true };
    expect(await judge('cosine-drop', pixelsSample(BLOB, PLANE, SIZE), official)).toBeCloseTo(100 * WHOLE, 3);
    expect(await judge('cosine-increase', pixelsSample(BLOB, PLANE, SIZE), official)).toBe(0);
    // The row of a picture that is not square: weights 0, ½, 1 for three columns.
    const wide = pixelsSample([0, 1, 2, 0, 0, 0], [1, 2, 4, 8, 16, 32], [2, 3]);
    expect(await judge('cosine-drop', wide, official)).toBeCloseTo(100 * 3 * (63 - (2 + 16) / 2 - 4 - 32), 3);
    const top = [0, 2, 1, 0, ...new Array(12).fill(0)];
    const columns = 3 * (0.1 + 0.2 + 0.3 + 0.1) + (3 * (0.1 + 0.3 + 0.4 + 0.1)) / 2;
    expect(await judge('cosine-drop', pixelsSample(top, PLANE, SIZE), official)).toBeCloseTo(100 * (WHOLE - columns), 3);
  });

  it('say nothing of a map of one value', async () => {
    for (const name of ['cosine-drop', 'cosine-increase'])
      for (const value of [0, 3])
        expect(
          await judge(
            name,
            pixelsSample(
              BLOB.map(() => value),
              PLANE,
              SIZE,
            ),
          ),
        ).toBeNaN();
  });
});

describe('cosine drop and increase of captions', () => {
  const worth = [0.125, 0.25, 0.5, 1];

  it('keep the words above the median, hidden words out of attention', async () => {
    const asked: string[] = [];
    const sample: MetricSample = {
      ...wordsSample([4, 1, 2, 3], worth),
      game(removal) {
        asked.push(removal);
        return additiveGame(worth, 2);
      },
    };
    expect(await judge('text-cosine-drop', sample)).toBeCloseTo(100 * 0.75, 9);
    expect(await judge('text-cosine-increase', sample)).toBe(0);
    expect(asked).toEqual(['mask', 'mask']);
    // An odd number: the median itself goes.
    expect(await judge('text-cosine-drop', wordsSample([1, 2, 3], [0.25, 0.5, 1]))).toBeCloseTo(75, 9);
  });

  it('are worse for the reversed map, and an increase where what goes was worth less than nothing', async () => {
    expect(await judge('text-cosine-drop', wordsSample(worth, worth))).toBeCloseTo(37.5, 9);
    expect(
      await judge(
        'text-cosine-drop',
        wordsSample(
          worth.map(v => -v),
          worth,
        ),
      ),
    ).toBeCloseTo(150, 9);
    expect(await judge('text-cosine-increase', wordsSample([2, 1], [1, -1]))).toBe(100);
    expect(await judge('text-cosine-drop', wordsSample([2, 1], [1, -1]))).toBe(0);
  });

  it('say nothing of a map of one value or one word', async () => {
    for (const name of ['text-cosine-drop', 'text-cosine-increase']) {
      expect(await judge(name, wordsSample([1, 1], [1, 2]))).toBeNaN();
      expect(await judge(name, wordsSample([1], [1]))).toBeNaN();
    }
  });
});

describe('cosine drop and increase of captions as NIB has them', () => {
  /** The score is the sum of the words' worth times their weights. */
  const weighted = (map: readonly number[], worth: readonly number[]): MetricSample => ({
    ...wordsSample(map, worth),
    scoreTokenWeights: async weights =>
      Float64Array.from({ length: weights.length / map.length }, (_, m) =>
        worth.reduce((sum, v, i) => sum + v * weights[m * map.length + i], 0),
      ),
  });

  it('weigh each word by its value on the min–max map', async () => {
    // Weights 0, ½, 1.
    expect(await judge('nib-text-drop', weighted([-1, 0, 1], [0.25, 0.5, 1]))).toBeCloseTo(50, 9);
    expect(await judge('nib-text-drop', weighted([1, 0, -1], [0.25, 0.5, 1]))).toBeCloseTo(125, 9);
    expect(await judge('nib-text-increase', weighted([-1, 0, 1], [0.25, 0.5, 1]))).toBe(0);
    expect(await judge('nib-text-increase', weighted([-1, 0, 1], [-0.25, 0.5, 1]))).toBe(0);
    expect(await judge('nib-text-increase', weighted([-1, 0, 1], [-0.75, 0.5, 1]))).toBe(100);
    expect(await judge('nib-text-drop', weighted([-1, 0, 1], [-0.75, 0.5, 1]))).toBe(0);
  });

  it('say nothing of a map of one value or one word', async () => {
    for (const name of ['nib-text-drop', 'nib-text-increase']) {
      expect(await judge(name, weighted([2, 2], [1, 1]))).toBeNaN();
      expect(await judge(name, weighted([2], [1]))).toBeNaN();
    }
  });
});

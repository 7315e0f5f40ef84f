import { describe, expect, it } from 'vitest';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { drawImage } from '../testing/tiny-pairs.ts';
import { centrePrior, gradientMagnitude, randomMap } from './controls.ts';

function image(width: number, height: number, colour: (x: number, y: number) => readonly [number, number, number]): RgbImage {
  const pixels = Array.from({ length: width * height }, (_, i) => colour(i % width, Math.floor(i / width)));
  return { width, height, data: Uint8Array.from(pixels.flat()) };
}

describe('randomMap', () => {
  it('is set by its seed and sample', () => {
    const map = randomMap([3, 5], 1, 2);
    expect(map.length).toBe(15);
    expect(randomMap([3, 5], 1, 2)).toEqual(map);
    expect(randomMap([3, 5], 2, 2)).not.toEqual(map);
    expect(randomMap([3, 5], 1, 3)).not.toEqual(map);
  });

  it('is uniform between 0 and 1', () => {
    const values = Array.from({ length: 200 }, (_, i) => [...randomMap([4, 4], 0, i)]).flat();
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan((4 * Math.sqrt(1 / 12)) / Math.sqrt(values.length));
    expect(values.every(v => v > 0 && v < 1)).toBe(true);
  });
});

describe('centrePrior', () => {
  it.each<[number, number]>([
    [4, 4],
    [7, 7],
    [3, 8],
    [1, 1],
    [1, 6],
  ])('%d × %d is symmetric, highest at the centre and falls outwards', (rows, columns) => {
    const map = centrePrior([rows, columns]);
    const at = (y: number, x: number): number => map[y * columns + x];
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++) {
        expect(at(rows - 1 - y, x)).toBe(at(y, x));
        expect(at(y, columns - 1 - x)).toBe(at(y, x));
        if (x + 1 < columns / 2) expect(at(y, x + 1)).toBeGreaterThan(at(y, x));
        if (y + 1 < rows / 2) expect(at(y + 1, x)).toBeGreaterThan(at(y, x));
      }
    if (rows % 2 && columns % 2) expect(Math.max(...map)).toBe(1);
  });

  it('falls to e^(−1/2) a quarter of the grid from the centre', () => {
    const map = centrePrior([8, 9]);
    const quarter = centrePrior([1, 9]);
    expect(quarter[4 + 2] / quarter[4]).toBeCloseTo(Math.exp(-0.5 * (2 / (9 / 4)) ** 2), 6);
    expect(map.length).toBe(72);
  });
});

describe('gradientMagnitude', () => {
  it('is nothing on an image of one colour', () => {
    expect(
      gradientMagnitude(
        image(20, 12, () => [9, 200, 30]),
        [3, 5],
      ),
    ).toEqual(new Float32Array(15));
  });

  it('is the slope of a ramp, inside and halved at the border', () => {
    // Grey 3 per pixel along x: central differences give 3, the last and first column half of it.
    const ramp = gradientMagnitude(
      image(16, 8, x => [3 * x, 3 * x, 3 * x]),
      [2, 4],
    );
    for (const row of [0, 1]) expect([...ramp.subarray(row * 4, row * 4 + 4)]).toEqual([2.625, 3, 3, 2.625]);
    const down = gradientMagnitude(
      image(8, 16, (_, y) => [y, y, y]),
      [4, 2],
    );
    expect([...down]).toEqual([0.875, 0.875, 1, 1, 1, 1, 0.875, 0.875]);
  });

  it('stands where the edge is', () => {
    const map = gradientMagnitude(
      image(32, 32, (x, y) => (x >= 18 && x < 22 && y >= 10 && y < 14 ? [255, 255, 255] : [0, 0, 0])),
      [4, 4],
    );
    expect(map.indexOf(Math.max(...map))).toBe(6);
    expect([...map].filter(v => v > 0).length).toBe(1);
  });

  it('depends on nothing but the image, also where it is smaller than the grid', () => {
    expect(gradientMagnitude(drawImage(1), [4, 4])).toEqual(gradientMagnitude(drawImage(1), [4, 4]));
    expect(
      gradientMagnitude(
        image(2, 2, () => [1, 2, 3]),
        [4, 4],
      ),
    ).toEqual(new Float32Array(16));
  });
});

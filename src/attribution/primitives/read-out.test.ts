import { expect, it } from 'vitest';
import type { TowerJob } from '../method.ts';
import { patchSums, sourceMap, tokenValues } from './read-out.ts';

/** Two rows of three patches of 2 x 2 behind one prefix token; the picture is a pixel wider and higher than its patches. */
const image = {
  ...{ modality: 'image', tokens: 7, grid: [2, 3], size: [5, 7] },
  tower: { grid: (height: number, width: number) => [Math.floor(height / 2), Math.floor(width / 2)] },
} as unknown as TowerJob;
const text = { modality: 'text', tokens: 2 } as unknown as TowerJob;

it('channels become one value by their sum, magnitudes, the largest of them, or their length', () => {
  const data = [3, -4, 0, -1, -2, 2];
  expect([...tokenValues(data, 2)]).toEqual([-1, -1]);
  expect([...tokenValues(data, 2, 'sum')]).toEqual([-1, -1]);
  expect([...tokenValues(data, 2, 'abs')]).toEqual([7, 5]);
  expect([...tokenValues(data, 2, 'max')]).toEqual([4, 2]);
  expect([...tokenValues(data, 2, 'norm')]).toEqual([5, 3]);
  expect(sourceMap(text, data, 'norm')).toEqual({ tokens: Float32Array.of(5, 3) });
});

it('pixels are summed over their patch, rows before columns; prefix tokens get none, nor do pixels that no patch covers', () => {
  const pixels = Float32Array.from({ length: 35 }, (_, i) => 10 * Math.floor(i / 7) + (i % 7));
  const sum = (top: number, left: number): number => 40 * top + 20 + 4 * left + 2;
  const tokens = [0, sum(0, 0), sum(0, 2), sum(0, 4), sum(2, 0), sum(2, 2), sum(2, 4)];
  expect([...patchSums(image, pixels)]).toEqual(tokens);
  // Two channels of opposite sign.
  const planes = [...pixels, ...pixels.map(v => -3 * v)];
  const map = sourceMap(image, planes, 'sum');
  expect(map.pixels).toEqual(pixels.map(v => 0 - 2 * v));
  expect([...map.tokens]).toEqual(tokens.map(v => (v === 0 ? 0 : -2 * v)));
  expect(sourceMap(image, planes, 'abs').pixels).toEqual(pixels.map(v => 4 * v));
});

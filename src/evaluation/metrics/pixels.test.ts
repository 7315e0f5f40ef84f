/** @file Metrics that change pixels: curves over pixels, ROAD and its imputation. The fake score is the sum of all pixels, so answers are sums. */
import { describe, expect, it } from 'vitest';
import { gaussianBlur } from '../../attribution/perturbation/blur.ts';
import { floats } from '../../tensor/tensor.ts';
import { imputeLinear } from './impute.ts';
import { judge, pixelsSample } from './testing/samples.ts';

const SIZE = [4, 4] as const;
const PLANE = [1, 2, 0, 4, 3, 9, 8, 0.5, 2.5, 7, 6, 1.5, 0.25, 5, 3.5, 0.75];
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const negative = (map: readonly number[]): number[] => map.map(v => -v);

describe('insertion and deletion over pixels', () => {
  // Pixel r of the order (from 0) counts for the share of the way on which it is there; three channels.
  const best = [...PLANE].sort((a, b) => b - a);
  const gone = (order: readonly number[]): number => 3 * sum(order.map((v, r) => (v * (r + 0.5)) / 16));

  it('deletion is the closed form, worse the other way round', async () => {
    expect(await judge('pixel-deletion', pixelsSample(PLANE, PLANE, SIZE))).toBeCloseTo(gone(best), 4);
    const worse = await judge('pixel-deletion', pixelsSample(negative(PLANE), PLANE, SIZE));
    expect(worse).toBeCloseTo(gone([...best].reverse()), 4);
    expect(worse).toBeGreaterThan(1.5 * gone(best));
  });

  it('insertion starts from the blurred image', async () => {
    const blurred = gaussianBlur(floats([1, 1, 4, 4], PLANE), 5).data;
    const worth = PLANE.map((v, i) => v - blurred[i]);
    const order = [...PLANE.keys()].sort((a, b) => PLANE[b] - PLANE[a]);
    const area = (by: readonly number[]): number => 3 * (sum([...blurred]) + sum(by.map((i, r) => (worth[i] * (16 - r - 0.5)) / 16)));
    const original = await judge('pixel-insertion', pixelsSample(PLANE, PLANE, SIZE));
    expect(original).toBeCloseTo(area(order), 3);
    expect(await judge('pixel-insertion', pixelsSample(negative(PLANE), PLANE, SIZE))).toBeCloseTo(area([...order].reverse()), 3);
    // A blur of a tenth of a pixel leaves the image as it is.
    expect(await judge('pixel-insertion', pixelsSample(PLANE, PLANE, SIZE), { sigma: 0.1 })).toBeCloseTo(3 * sum(PLANE), 3);
  });

  it('say nothing of a map of one value', async () => {
    for (const name of ['pixel-deletion', 'pixel-insertion', 'road'])
      expect(
        await judge(
          name,
          pixelsSample(
            PLANE.map(() => 1),
            PLANE,
            SIZE,
          ),
        ),
        name,
      ).toBeNaN();
  });
});

describe('imputation from neighbours', () => {
  const [height, width] = [12, 14];
  const ramp = Float32Array.from({ length: 3 * height * width }, (_, i) => {
    const [c, y, x] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
    return c + 0.5 * x - 0.25 * y;
  });
  const inner = Uint8Array.from({ length: height * width }, (_, i) => {
    const [y, x] = [Math.floor(i / width), i % width];
    return y > 1 && y < height - 2 && x > 1 && x < width - 2 && (x + 2 * y) % 5 ? 1 : 0;
  });

  it('recovers a linear ramp, which is harmonic', () => {
    const filled = imputeLinear(ramp, [height, width], inner, 60);
    filled.forEach((v, i) => {
      expect(v).toBeCloseTo(ramp[i], 4);
    });
  });

  it('weighs direct neighbours twice as much as diagonal ones, at the border those that are there', () => {
    const plane = [1, 2, 3, 4, 100, 6, 7, 8, 10];
    const only = (at: number): Uint8Array => Uint8Array.from(plane, (_, i) => (i === at ? 1 : 0));
    const pixels = Float32Array.from([...plane, ...plane, ...plane]);
    const middle = imputeLinear(pixels, [3, 3], only(4), 1)[4];
    expect(middle).toBeCloseTo((2 * (2 + 4 + 6 + 8) + (1 + 3 + 7 + 10)) / 12, 5);
    expect(imputeLinear(pixels, [3, 3], only(0), 1)[0]).toBeCloseTo((2 * (2 + 4) + 100) / 5, 5);
  });

  it('does not read what was removed, and leaves the rest as it was', () => {
    const spoiled = ramp.map((v, i) => (inner[i % (height * width)] ? 1e6 : v));
    const filled = imputeLinear(spoiled, [height, width], inner, 60);
    expect(filled).toEqual(imputeLinear(ramp, [height, width], inner, 60));
    filled.forEach((v, i) => {
      if (!inner[i % (height * width)]) expect(v).toBe(ramp[i]);
    });
  });

  it('spreads the only pixel left over the image, corners included; nothing left is 0', () => {
    const all = new Uint8Array(16).fill(1);
    const but = all.slice();
    but[5] = 0;
    const plane = new Float32Array(48).fill(3);
    imputeLinear(plane, [4, 4], but, 30).forEach(v => {
      expect(v).toBeCloseTo(3, 6);
    });
    expect(imputeLinear(plane, [4, 4], all, 30)).toEqual(new Float32Array(48));
  });
});

describe('ROAD', () => {
  const side = 16;
  const block = (i: number): boolean => Math.abs(Math.floor(i / side) - 7.5) < 2 && Math.abs((i % side) - 7.5) < 2;
  const plane = Array.from({ length: side * side }, (_, i) => (block(i) ? 1 : 0));
  const near = plane.map((_, i) => -Math.hypot(Math.floor(i / side) - 7.5, (i % side) - 7.5));
  const options = { percentiles: [20], noise: 0, iterations: 300 };

  it('is half of what the block is worth, or its negative for the reversed map', async () => {
    // Without the block nothing is left to impute from but zeros; without the border the block stays: (48 − 0) / 2.
    expect(await judge('road', pixelsSample(near, plane, [side, side]), options)).toBeCloseTo(24, 1);
    expect(await judge('road', pixelsSample(negative(near), plane, [side, side]), options)).toBeCloseTo(-24, 1);
  });

  it('averages over the shares removed', async () => {
    const of = (percentiles: number[]): Promise<number> =>
      judge('road', pixelsSample(near, plane, [side, side]), { ...options, percentiles });
    expect(await of([20, 60])).toBeCloseTo(((await of([20])) + (await of([60]))) / 2, 9);
  });

  it('draws its noise by the key of the sample', async () => {
    const sample = pixelsSample(near, plane, [side, side]);
    const one = await judge('road', sample, { noise: 1 });
    expect(await judge('road', sample, { noise: 1 })).toBe(one);
    expect(await judge('road', { ...sample, key: 8 }, { noise: 1 })).not.toBe(one);
  });
});

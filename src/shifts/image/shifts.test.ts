/** @file The image shifts against NumPy, SciPy, OpenCV and Pillow, and the statistics of the random ones. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../inputs/image/decode.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { shiftImage } from '../apply.ts';
import { imageShifts } from '../registry.ts';
import { diskKernel } from './primitives/disk.ts';
import { gaussianSmooth } from './primitives/gaussian.ts';
import { motionSmooth } from './primitives/motion.ts';
import { clippedZoom } from './primitives/zoom.ts';
import { zoomFactors } from './zoom-blur.ts';

const path = (name: string) => new URL(`../testdata/${name}`, import.meta.url).pathname;
const json = async (name: string) => JSON.parse(await readFile(path(name), 'utf8'));
const small = await decodeImage(path('small.png'));
const sheet = await decodeImage(path('shifts.png'));
const numbers = await json('numbers.json');
const flat = (value: number, side = 96): RgbImage => ({ width: side, height: side, data: new Uint8Array(side * side * 3).fill(value) });

/** The golden picture at (row, column) of the sheet. */
function golden(row: number, column: number): Uint8Array {
  const { width, height } = small;
  const out = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((row * height + y) * sheet.width + column * width) * 3;
    out.set(sheet.data.subarray(from, from + width * 3), y * width * 3);
  }
  return out;
}

const moments = (values: ArrayLike<number>) => {
  const list = Array.from(values);
  const mean = list.reduce((a, b) => a + b, 0) / list.length;
  return { mean, deviation: Math.sqrt(list.reduce((a, b) => a + (b - mean) ** 2, 0) / list.length) };
};

describe('equals the reference', () => {
  // Cutting to bytes turns a last-bit difference of float arithmetic into 1; `off` is the share of bytes where that may happen.
  it.each([
    ['defocus_blur', 0, 0.002],
    ['contrast', 1, 0.01],
    ['brightness', 2, 0.03],
    ['saturate', 3, 0.03],
    ['gaussian_blur', 4, 0.002],
    ['zoom_blur', 5, 0.002],
    ['pixelate', 6, 0],
    ['jpeg_compression', 7, 0],
  ] as const)('%s', async (name, row, off) => {
    for (let severity = 1; severity <= 5; severity++) {
      const { data } = await shiftImage(name, small, severity);
      const want = golden(row, severity - 1);
      const differences = data.map((v, i) => Math.abs(v - want[i]));
      expect(Math.max(...differences), `severity ${severity}`).toBeLessThanOrEqual(off === 0 ? 0 : 1);
      expect(differences.filter(d => d > 0).length / data.length, `severity ${severity}`).toBeLessThanOrEqual(off);
    }
  });

  it('kernels of the defocused lens', async () => {
    const kernels: Record<string, { radius: number; alias_blur: number; sum: number; center: number; row_mid: number[] }> =
      await json('defocus_kernels.json');
    for (const { radius, alias_blur, sum, center, row_mid } of Object.values(kernels)) {
      const { side, weights } = diskKernel(radius, alias_blur);
      const middle = (side - 1) / 2;
      expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(sum, 6);
      expect(weights[middle * side + middle]).toBeCloseTo(center, 7);
      expect(row_mid).toHaveLength(side);
      row_mid.forEach((v, i) => void expect(weights[middle * side + i]).toBeCloseTo(v, 7));
    }
  });

  it('zoom factors', async () => {
    const factors: Record<string, number[]> = await json('zoom_factors.json');
    ['1.11,0.01', '1.16,0.01', '1.21,0.02', '1.26,0.02', '1.31,0.03'].forEach((key, i) => {
      expect(zoomFactors(i + 1).map(f => Math.round(f * 1e6) / 1e6)).toEqual(factors[key]);
    });
  });

  it('motion, mirrored smoothing and zoom of a table of numbers', () => {
    const image = { width: 7, height: 5, channels: 1, data: Float64Array.from(numbers.image.flat()) };
    const close = (got: Float64Array, want: number[][]) => {
      expect(got).toHaveLength(want.flat().length);
      want.flat().forEach((v, i) => void expect(got[i]).toBeCloseTo(v, 12));
    };
    close(motionSmooth(image, numbers.radius, numbers.sigma, numbers.angle).data, numbers.motion);
    close(gaussianSmooth(image, [0.8, 1.3], 'reflect', 3).data, numbers.gaussian_reflect);
    close(clippedZoom(image, 2.5).data, numbers['zoom_2.5']);
  });
});

describe('random shifts', () => {
  it('gaussian_noise and speckle_noise have the published deviation', async () => {
    const grey = moments((await shiftImage('gaussian_noise', flat(128), 1)).data);
    expect(grey.mean).toBeCloseTo(127.5, 0);
    expect(grey.deviation / 255).toBeCloseTo(0.08, 2);
    const dim = moments((await shiftImage('speckle_noise', flat(64), 3)).data);
    expect(dim.deviation / 64).toBeCloseTo(0.35, 1);
    expect((await shiftImage('speckle_noise', flat(0), 5)).data.every(v => v === 0)).toBe(true);
  });

  it('shot_noise is a Poisson count over the number of photons', async () => {
    const { data } = await shiftImage('shot_noise', flat(102), 5);
    const counts = Array.from(data, v => (v / 255) * 3);
    for (const c of new Set(counts)) expect(Math.abs(c - Math.round(c))).toBeLessThan(0.02);
    const share = (k: number) => counts.filter(c => Math.round(c) === k).length / counts.length;
    // Mean 1.2; all counts of 3 and more are white.
    expect(share(0)).toBeCloseTo(Math.exp(-1.2), 1.7);
    expect(share(1)).toBeCloseTo(1.2 * Math.exp(-1.2), 1.7);
    expect(share(2)).toBeCloseTo(0.72 * Math.exp(-1.2), 1.7);
    expect(share(3)).toBeCloseTo(1 - 2.92 * Math.exp(-1.2), 1.7);
  });

  it('impulse_noise sets the published share, evenly to black and white', async () => {
    const { data } = await shiftImage('impulse_noise', flat(100), 5);
    const share = (value: number) => data.filter(v => v === value).length / data.length;
    expect(share(0)).toBeCloseTo(0.135, 1.7);
    expect(share(255)).toBeCloseTo(0.135, 1.7);
    expect(share(100)).toBeCloseTo(0.73, 1.5);
  });

  it('glass_blur and elastic_transform keep a flat picture, fog and snow whiten it', async () => {
    for (const name of ['glass_blur', 'elastic_transform', 'motion_blur'])
      for (const v of (await shiftImage(name, flat(100), 3)).data) expect(Math.abs(v - 100)).toBeLessThanOrEqual(1);
    expect(moments((await shiftImage('fog', flat(20), 3)).data).deviation).toBeGreaterThan(0.5);
    expect(moments((await shiftImage('snow', flat(20), 2)).data).mean).toBeGreaterThan(40);
  });
});

describe.each(imageShifts.map(s => [s.name, s] as const))('%s', (name, shift) => {
  it('keeps size and input, and repeats with its seed', async () => {
    const before = small.data.slice();
    const first = await shiftImage(name, small, 3, { seed: 4, sample: 2 });
    expect([first.width, first.height, first.data.length]).toEqual([48, 40, 48 * 40 * 3]);
    expect(small.data).toEqual(before);
    expect(first.data).not.toEqual(before);
    expect((await shiftImage(name, small, 3, { seed: 4, sample: 2 })).data).toEqual(first.data);
    // Some draw between two sides only.
    const others = await Promise.all([3, 4, 5, 6, 7, 8].map(sample => shiftImage(name, small, 3, { seed: 4, sample })));
    const same = others.filter(other => Buffer.compare(other.data, first.data) === 0).length;
    if (shift.random) expect(same).toBeLessThan(others.length);
    else expect(same).toBe(others.length);
  });

  it('takes the smallest pictures, and scales with a reference size', async () => {
    for (const [width, height] of [
      [1, 1],
      [3, 2],
    ])
      expect((await shiftImage(name, { width, height, data: new Uint8Array(width * height * 3).fill(90) }, 5)).width).toBe(width);
    const published = await shiftImage(name, small, 4);
    const scaled = await shiftImage(name, small, 4, { referenceSize: 224 });
    if (shift.scaled) expect(scaled.data).not.toEqual(published.data);
    else expect(scaled.data).toEqual(published.data);
  });
});

it('refuses what there is not in one sentence', async () => {
  await expect(shiftImage('rain', small, 1)).rejects.toThrow(/There is no image shift "rain"; choose among gaussian_noise, /);
  await expect(shiftImage('contrast', small, 6)).rejects.toThrow('The severity of contrast must be a whole number from 1 to 5; got 6.');
  await expect(shiftImage('gaussian-blur', small, 1, { referenceSize: 0 })).rejects.toThrow(/reference size must be a positive number/);
});

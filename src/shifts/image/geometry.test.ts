/** Shifts that move, resize or cover: closed forms, and how their grades are ordered. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../inputs/image/decode.ts';
import { resizeImage } from '../../inputs/image/resize.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { RandomStream } from '../../tensor/random.ts';
import { shiftImage } from '../apply.ts';
import { readFrostTextures } from '../frost-textures.ts';
import { imageShifts } from '../registry.ts';
import { frost } from './frost.ts';
import { toFloat } from './primitives/float-image.ts';
import { meanColour, squeezePicture, turnPicture } from './primitives/place.ts';

const small = await decodeImage(new URL('../testdata/small.png', import.meta.url).pathname);
const photo = resizeImage(await decodeImage(new URL('../../inputs/image/testdata/astronaut.png', import.meta.url).pathname), 96, 72, 'box');
const pixel = ({ width, data }: RgbImage, x: number, y: number): number[] => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];
const square: RgbImage = { width: 3, height: 3, data: Uint8Array.from({ length: 27 }, (_, i) => i * 9) };
const far = (a: RgbImage, b: RgbImage): number => a.data.reduce((sum, v, i) => sum + (v - b.data[i]) ** 2, 0) / a.data.length;

describe('turning', () => {
  it('by nothing is nothing, by right angles moves pixels and changes none', () => {
    expect(turnPicture(small, 0).data).toEqual(small.data);
    expect(turnPicture(small, 360).data).toEqual(small.data);
    const left = turnPicture(square, 90);
    for (let y = 0; y < 3; y++) for (let x = 0; x < 3; x++) expect(pixel(left, x, y)).toEqual(pixel(square, 2 - y, x));
    const half = turnPicture(small, 180);
    expect(pixel(half, 5, 7)).toEqual(pixel(small, 48 - 1 - 5, 40 - 1 - 7));
    expect(turnPicture(turnPicture(square, 90), -90).data).toEqual(square.data);
  });

  it('brings in the mean colour, and rotate turns to either side by its table', async () => {
    const wide: RgbImage = { width: 40, height: 4, data: new Uint8Array(480).fill(200) };
    wide.data.fill(100, 0, 240);
    const out = turnPicture(wide, 90);
    expect(pixel(out, 0, 0)).toEqual([150, 150, 150]);
    const sides = await Promise.all([0, 1, 2, 3, 4, 5].map(sample => shiftImage('rotate', small, 2, { sample })));
    const [left, right] = [turnPicture(small, 10).data, turnPicture(small, -10).data];
    expect(sides.map(s => (Buffer.compare(s.data, left) === 0 ? 1 : Buffer.compare(s.data, right) === 0 ? 2 : 0)).sort()).toEqual([
      ...sides.map((_, i) => (i < sides.filter(s => Buffer.compare(s.data, left) === 0).length ? 1 : 2)),
    ]);
    expect(new Set(sides.map(s => Buffer.from(s.data).toString('base64'))).size).toBe(2);
  });
});

describe('mirror', () => {
  it.each([1, 2, 3, 4, 5])('twice at severity %i is the picture again, with the same pixels between', async severity => {
    const once = await shiftImage('mirror', small, severity);
    expect(once.data).not.toEqual(small.data);
    expect((await shiftImage('mirror', once, severity)).data).toEqual(small.data);
    expect(once.data.slice().sort()).toEqual(small.data.slice().sort());
  });

  it('exchanges left and right, top and bottom, both, and both in parts', async () => {
    const { width, height } = small;
    expect(pixel(await shiftImage('mirror', small, 1), 3, 9)).toEqual(pixel(small, width - 4, 9));
    expect(pixel(await shiftImage('mirror', small, 2), 3, 9)).toEqual(pixel(small, 3, height - 10));
    expect(pixel(await shiftImage('mirror', small, 3), 3, 9)).toEqual(pixel(small, width - 4, height - 10));
    expect(pixel(await shiftImage('mirror', small, 4), 3, 29)).toEqual(pixel(small, 24 - 4, 20 + 40 - 30));
    expect(pixel(await shiftImage('mirror', small, 5), 13, 9)).toEqual(pixel(small, 12 + 24 - 14, 0));
  });
});

describe('sizes', () => {
  it('aspect squeezes one side, keeps the whole picture and grounds it in its mean colour', async () => {
    const out = squeezePicture(small, 24, 40);
    const ground = meanColour(small);
    expect([pixel(out, 0, 20), pixel(out, 11, 0), pixel(out, 36, 39)]).toEqual([ground, ground, ground]);
    expect(pixel(out, 12, 0)).toEqual(pixel(resizeImage(small, 24, 40, 'bicubic'), 0, 0));
    const shapes = await Promise.all([0, 1, 2, 3, 4, 5].map(sample => shiftImage('aspect', small, 5, { sample })));
    const [narrow, flat] = [squeezePicture(small, 24, 40), squeezePicture(small, 48, 20)].map(s => Buffer.from(s.data).toString('base64'));
    const seen = new Set(shapes.map(s => Buffer.from(s.data).toString('base64')));
    expect([...seen].sort()).toEqual([narrow, flat].sort());
  });

  it('crop shows a window of its share somewhere in the picture', async () => {
    // A ramp: every window has its share of the whole range.
    const ramp: RgbImage = { width: 200, height: 4, data: Uint8Array.from({ length: 2400 }, (_, i) => Math.trunc((i % 600) / 3)) };
    const starts = new Set<number>();
    for (let sample = 0; sample < 12; sample++) {
      const { data } = await shiftImage('crop', ramp, 5, { sample });
      expect(Math.abs(data[199 * 3] - data[0] - 99)).toBeLessThanOrEqual(2);
      starts.add(data[0]);
    }
    expect(starts.size).toBeGreaterThan(6);
  });

  it('downscale is a resize there and back, and nothing where a picture is smaller than the reference says', async () => {
    const there = resizeImage(small, 12, 10, 'bicubic');
    expect((await shiftImage('downscale', small, 3)).data).toEqual(resizeImage(there, 48, 40, 'bicubic').data);
    expect((await shiftImage('downscale', small, 1, { referenceSize: 224 })).data).toEqual(small.data);
  });
});

it.each(['downscale', 'pixelate', 'defocus_blur', 'gaussian_blur', 'contrast', 'brightness', 'jpeg_compression'])(
  '%s: every grade is farther from the picture than the one before',
  async name => {
    const ways: number[] = [];
    for (const severity of [1, 2, 3, 4, 5]) ways.push(far(await shiftImage(name, photo, severity), photo));
    expect(ways).toEqual([...ways].sort((a, b) => a - b));
    expect(new Set(ways).size).toBe(5);
  },
);

it.each(['rotate', 'aspect', 'crop', 'gaussian_noise', 'impulse_noise'])('%s: over draws, too', async name => {
  const ways: number[] = [];
  for (const severity of [1, 3, 5]) {
    let total = 0;
    for (let sample = 0; sample < 16; sample++) total += far(await shiftImage(name, photo, severity, { sample }), photo);
    ways.push(total);
  }
  expect(ways).toEqual([...ways].sort((a, b) => a - b));
});

describe('frost', () => {
  const grey = (value: number, width = 400, height = 300): RgbImage => ({
    width,
    height,
    data: new Uint8Array(width * height * 3).fill(value),
  });
  const reader = () => new RandomStream(0, 'test').reader(0, 0);

  it('is share of the picture plus share of the texture that was given', async () => {
    const picture = grey(100, 8, 6);
    const { data } = await frost.apply(picture, 5, reader(), { frostTextures: [grey(120)] });
    // 0.6 · 100 + 0.75 · 120
    expect([...new Set(data)]).toEqual([150]);
    expect((await frost.apply(picture, 1, reader(), { frostTextures: [grey(255)] })).data.every(v => v >= 201 && v <= 202)).toBe(true);
  });

  it('enlarges a texture that is too small, and draws part and photograph', async () => {
    const ramp: RgbImage = { width: 50, height: 50, data: Uint8Array.from({ length: 7500 }, (_, i) => Math.trunc((i % 150) / 3)) };
    const big = await frost.apply(grey(0, 100, 80), 1, reader(), { frostTextures: [ramp] });
    expect([big.width, big.height]).toEqual([100, 80]);
    const left = new Set<number>();
    for (let sample = 0; sample < 8; sample++)
      left.add((await shiftImage('frost', grey(0, 10, 10), 5, { sample, frostTextures: [ramp] })).data[0]);
    expect(left.size).toBeGreaterThan(3);
  });

  it('says that the texture is drawn, unless photographs were given', () => {
    expect(frost.remark?.({})).toMatch(/drawn by Narrows .* not ImageNet-C's; give the photographs' folder/);
    expect(frost.remark?.({ frostTextures: [grey(1)] })).toBeUndefined();
    expect(frost.source).toMatch(/texture of our own procedure/);
  });

  it('reads the five published textures and names what is missing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'narrows-frost-'));
    try {
      await expect(readFrostTextures(folder)).rejects.toThrow(/none of them is there/);
      await expect(readFrostTextures(join(folder, 'no'))).rejects.toThrow(/no/);
      await expect(shiftImage('frost', small, 1, { frostTextures: [] })).rejects.toThrow(/empty list of textures/);
      const ppm = (value: number): Uint8Array => Uint8Array.from([...Buffer.from('P6 2 1 255\n'), ...Array<number>(6).fill(value)]);
      for (const i of [1, 2, 3, 4, 6]) await writeFile(join(folder, `frost${i}.${i < 4 ? 'png' : 'jpg'}`), ppm(i));
      await expect(readFrostTextures(folder)).rejects.toThrow(/each once; it has frost1.png, frost2.png, frost3.png, frost4.jpg\./);
      await writeFile(join(folder, 'frost5.jpg'), ppm(5));
      expect((await readFrostTextures(folder)).map(t => t.data[0])).toEqual([1, 2, 3, 4, 5]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

it('toFloat of a grey frost keeps the order of blue over red', async () => {
  const { data } = toFloat(await shiftImage('frost', { width: 32, height: 32, data: new Uint8Array(3072) }, 5, { seed: 3 }));
  const sums = [0, 1, 2].map(c => data.reduce((sum, v, i) => sum + (i % 3 === c ? v : 0), 0));
  expect(sums[2]).toBeGreaterThan(sums[0]);
});

describe('where things are', () => {
  /** How far the middle of what a square changes in the shifted picture lies from the square's, in pixels. */
  async function moved(name: string, severity: number): Promise<number> {
    const side = 96;
    const without: RgbImage = { width: side, height: side, data: new Uint8Array(side * side * 3).fill(110) };
    // Shifts that go by the brightest pixel find the same in both.
    without.data.fill(255, without.data.length - 12);
    const withSquare = { ...without, data: without.data.slice() };
    // Off the middle, and near no middle line.
    const [left, top, edge] = [12, 20, 14];
    for (let y = top; y < top + edge; y++) withSquare.data.fill(190, (y * side + left) * 3, (y * side + left + edge) * 3);
    const [a, b] = await Promise.all(
      [without, withSquare].map(image => shiftImage(name, image, severity, { sample: 3, referenceSize: 224 })),
    );
    const changes = Float64Array.from({ length: side * side }, (_, i) => Math.abs(a.data[3 * i] - b.data[3 * i]));
    const most = Math.max(...changes);
    let [weight, sumX, sumY] = [0, 0, 0];
    for (const [i, change] of changes.entries()) {
      // Noise that differs by what it meets is no thing.
      if (change < most / 2) continue;
      weight += change;
      sumX += change * ((i % side) + 0.5);
      sumY += change * (Math.floor(i / side) + 0.5);
    }
    if (weight === 0) return Number.POSITIVE_INFINITY;
    return Math.hypot(sumX / weight - (left + edge / 2), sumY / weight - (top + edge / 2));
  }

  it.each(imageShifts.map(({ name, moves }) => [name, moves === true] as const))('%s says whether they move (%s)', async (name, moves) => {
    const far = Math.max(...(await Promise.all([1, 3, 5].map(severity => moved(name, severity)))));
    if (moves) expect(far).toBeGreaterThan(1);
    else expect(far).toBeLessThan(5);
  });
});

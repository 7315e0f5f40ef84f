/** MM_Robustness's errors, made on purpose: each by what it does to a picture where the right way does something else. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../inputs/image/decode.ts';
import type { RgbImage } from '../inputs/image/rgb-image.ts';
import { RandomStream } from '../tensor/random.ts';
import { shiftImage } from './apply.ts';
import { shiftRemarks, swapRedBlue } from './compat.ts';
import { resizeByArea } from './image/primitives/area.ts';
import { toBytes, toFloat } from './image/primitives/float-image.ts';
import { gaussianSmooth } from './image/primitives/gaussian.ts';
import { zoomFactors } from './image/zoom-blur.ts';
import { saveAsJpeg } from './jpeg-codec.ts';
import { imageShifts } from './registry.ts';
import type { ImageShiftOptions } from './shift.ts';

const MM = { compat: 'mm-robustness' } as const;
const path = (name: string): string => new URL(name, import.meta.url).pathname;
const chelsea = await decodeImage(path('../inputs/image/testdata/chelsea.png'));
const part = (width: number, height: number): RgbImage => {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) data.set(chelsea.data.subarray(y * chelsea.width * 3, (y * chelsea.width + width) * 3), y * width * 3);
  return { width, height, data };
};
/** A shift without what the frame adds (JPEG). */
const bare = async (name: string, image: RgbImage, severity: number, options: ImageShiftOptions = {}): Promise<RgbImage> =>
  imageShifts
    .find(s => s.name === name)!
    .apply(image, severity, new RandomStream(1, 'compat').reader(severity, 0), { saveAsJpeg, ...options });
const flat = (r: number, g: number, b: number, width = 16, height = 12): RgbImage => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => [r, g, b][i % 3]),
});

it('resizes by area as OpenCV does', () => {
  const { width, height, data, results } = JSON.parse(readFileSync(path('testdata/area.json'), 'utf8')) as {
    readonly width: number;
    readonly height: number;
    readonly data: readonly number[];
    readonly results: readonly { readonly width: number; readonly height: number; readonly data: readonly number[] }[];
  };
  const image = { width, height, data: Uint8Array.from(data) };
  expect(results).toHaveLength(6);
  for (const want of results) {
    const got = resizeByArea(image, want.width, want.height).data;
    const far = Math.max(...want.data.map((v, i) => Math.abs(v - got[i])));
    expect(far, `${want.width} x ${want.height}`).toBeLessThanOrEqual(1);
  }
});

describe('mm-robustness', () => {
  it('saves every result as JPEG of quality 95', async () => {
    const image = part(40, 30);
    const plain = await bare('contrast', image, 1);
    expect((await shiftImage('contrast', image, 1, MM)).data).toEqual((await saveAsJpeg(plain, 95)).data);
  });

  it('moves one row of glass_blur', async () => {
    const image = part(40, 30);
    const [right, wrong] = [await bare('glass_blur', image, 2), await bare('glass_blur', image, 2, MM)];
    const twice = (picture: RgbImage): RgbImage => toBytes(gaussianSmooth(toFloat(picture), 0.9));
    const still = twice(twice(image));
    const rows = (picture: RgbImage): number[] =>
      Array.from({ length: 30 }, (_, y) =>
        picture.data.slice(y * 120, (y + 1) * 120).reduce((sum, v, i) => sum + Math.abs(v - still.data[y * 120 + i]), 0),
      );
    const [all, one] = [rows(right), rows(wrong)];
    const around = one.map((v, y) => (y >= 24 ? 0 : v));
    // Row 28 and what the second smoothing spreads of it; all others are only smoothed.
    expect(around.every(v => v === 0)).toBe(true);
    expect(one[28]).toBeGreaterThan(30);
    expect(all.filter(v => v > 0).length).toBeGreaterThan(20);
  });

  it('pixelates to a square and exchanges the sides', async () => {
    const image = part(60, 30);
    const out = await bare('pixelate', image, 5, MM);
    expect([out.width, out.height]).toEqual([30, 60]);
    expect(out.data).toEqual(resizeByArea(resizeByArea(image, 56, 56), 30, 60).data);
  });

  it('enlarges farther in zoom_blur 5, and from the middle', async () => {
    expect(zoomFactors(5, MM.compat).at(-1)).toBeCloseTo(1.33, 10);
    expect(zoomFactors(4, MM.compat)).toEqual(zoomFactors(4));
    expect((await bare('zoom_blur', part(40, 30), 5, MM)).data).not.toEqual((await bare('zoom_blur', part(40, 30), 5)).data);
  });

  it('takes red for blue in snow, frost and JPEG', async () => {
    const blue = flat(0, 0, 250);
    // Where snow does not fall, a picture is whitened by its grey: blue counts as much as red does.
    const [right, wrong] = [(await bare('snow', blue, 1)).data[0], (await bare('snow', blue, 1, MM)).data[0]];
    expect(wrong).toBeGreaterThan(right);
    const ice = flat(200, 0, 0);
    const frosted = await bare('frost', flat(0, 0, 0), 1, { ...MM, frostTextures: [ice] });
    expect([...frosted.data.slice(0, 3)]).toEqual([0, 0, 80]);
    await expect(bare('frost', flat(0, 0, 0, 40), 1, { ...MM, frostTextures: [ice] })).rejects.toThrow(
      /does not cover a picture of 40 x 12/,
    );
    const image = part(40, 30);
    const jpeg = await bare('jpeg_compression', image, 5, MM);
    expect(jpeg.data).toEqual(swapRedBlue(await saveAsJpeg(swapRedBlue(image), 7)).data);
    expect(jpeg.data).not.toEqual((await bare('jpeg_compression', image, 5)).data);
  });

  it('spreads fog over 1024 pixels: a small picture sees a part of a cloud', async () => {
    const image = flat(100, 100, 100, 32, 32);
    const range = ({ data }: RgbImage): number => Math.max(...data) - Math.min(...data);
    expect(range(await bare('fog', image, 1, MM))).toBeLessThan(range(await bare('fog', image, 1)));
  });

  it('is off unless asked for, names what it does not run and what is not made', async () => {
    await expect(shiftImage('rotate', part(8, 8), 1, MM)).rejects.toThrow(/mm-robustness does not run rotate; it runs gaussian_noise, /);
    const of = (name: string, options: ImageShiftOptions): string[] => shiftRemarks(imageShifts.find(s => s.name === name)!, options);
    expect(of('elastic_transform', MM)).toEqual([
      'elastic_transform under mm-robustness: its turn and shear, and its lengths for 244 pixels are not made here, so its numbers differ.',
    ]);
    expect(of('elastic_transform', {})).toEqual([]);
    expect(of('frost', MM)).toHaveLength(1);
  });
});

/** @file Pixel values against transformers, the view into the original, and the configuration's messages. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeImage } from './decode.ts';
import { ImageProcessor, stackImages } from './processor.ts';
import { parseProcessorConfig } from './processor-config.ts';
import type { RgbImage } from './rgb-image.ts';

interface Clip224 {
  shape: number[];
  mean: number;
  first8: number[];
  mid8: number[];
  abs_sum: number;
}
interface Case {
  type: string;
  config: Record<string, unknown>;
  turned: boolean;
  shape: number[];
  sum: number;
  abs_sum: number;
  weighted: number;
  at: number[];
  values: number[];
}
const here = join(import.meta.dirname, 'testdata');
const json = (name: string) => JSON.parse(readFileSync(join(here, name), 'utf8'));
const photos = json('golden.json').cases as { file: string; clip224?: Clip224 }[];
const cases = json('processing.json').processors as Case[];
const sum = (data: Iterable<number>, f: (v: number, i: number) => number) => {
  let total = 0;
  let i = 0;
  for (const v of data) total += f(v, i++);
  return total;
};
const blank = (width: number, height: number): RgbImage => ({ width, height, data: new Uint8Array(width * height * 3) });

/** A quarter turn counter-clockwise, as Pillow's ROTATE_90. */
function turn({ width, height, data }: RgbImage): RgbImage {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++)
      out.set(data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3), ((width - 1 - x) * height + y) * 3);
  }
  return { width: height, height: width, data: out };
}

describe('transformers', () => {
  const withClip = photos.filter(p => p.clip224);
  test('covers the photographs', () => expect(withClip.length).toBeGreaterThanOrEqual(9));

  test.each(withClip)('CLIP at 224: $file', async ({ file, clip224 }) => {
    const golden = clip224!;
    const { pixelValues } = ImageProcessor.fromConfig({}).process(await decodeImage(join(here, file)));
    const { data, shape } = pixelValues;
    expect(shape).toEqual(golden.shape);
    golden.first8.forEach((v, i) => void expect(Math.abs(data[i] - v)).toBeLessThan(1e-6));
    golden.mid8.forEach((v, i) => void expect(Math.abs(data[224 * 224 + 112 * 224 + 100 + i] - v)).toBeLessThan(1e-6));
    expect(sum(data, v => v) / data.length).toBeCloseTo(golden.mean, 9);
    expect(sum(data, Math.abs) / golden.abs_sum).toBeCloseTo(1, 9);
  });

  test.each(cases)('$type $config turned: $turned', async ({ type, config, turned, ...golden }) => {
    const picture = await decodeImage(join(here, 'kinds/interlaced.png'));
    const processor = ImageProcessor.fromConfig({ image_processor_type: type, ...config });
    const { pixelValues } = processor.process(turned ? turn(picture) : picture);
    expect(pixelValues.shape).toEqual(golden.shape);
    golden.at.forEach((at, i) => void expect(pixelValues.data[at]).toBe(Math.fround(golden.values[i])));
    const relative = (a: number, b: number) => Math.abs(a - b) / golden.abs_sum;
    expect(
      relative(
        sum(pixelValues.data, v => v),
        golden.sum,
      ),
    ).toBeLessThan(1e-12);
    expect(
      relative(
        sum(pixelValues.data, (v, i) => v * ((i % 1009) + 1)),
        golden.weighted,
      ),
    ).toBeLessThan(1e-9);
  });
});

describe('view', () => {
  const view = (config: object, image: RgbImage, size?: number) => ImageProcessor.fromConfig(config).process(image, { size }).view;

  test('a centre crop sees the middle square', () => {
    expect(view({}, blank(600, 400))).toEqual({ left: 100, top: 0, width: 400, height: 400 });
    // 100 x 224 becomes 224 x 501, of which rows 138 to 361 are kept.
    const tall = view({}, blank(100, 224));
    expect([tall.left, tall.width]).toEqual([0, 100]);
    expect(tall.top).toBeCloseTo((138 * 224) / 501, 12);
    expect(tall.height).toBeCloseTo((224 * 224) / 501, 12);
  });
  test('stretching sees everything', () => {
    expect(view({ image_processor_type: 'SiglipImageProcessor' }, blank(601, 40))).toEqual({ left: 0, top: 0, width: 601, height: 40 });
  });
  test('padding reaches outside', () => {
    expect(view({ do_resize: false, crop_size: 10 }, blank(4, 20))).toEqual({ left: -3, top: 5, width: 10, height: 10 });
    expect(view({ size: 4, crop_size: 8 }, blank(2, 2))).toEqual({ left: -1, top: -1, width: 4, height: 4 });
  });
  test('another size sees the same part', () => {
    const rules = { size: { shortest_edge: 256 }, crop_size: 224 };
    const [a, b] = [view(rules, blank(512, 512)), view(rules, blank(512, 512), 448)];
    expect(b).toEqual(a);
  });
});

describe('sizes', () => {
  const shape = (config: object, image: RgbImage, size?: number) =>
    ImageProcessor.fromConfig(config).process(image, { size }).pixelValues.shape;
  const uncropped = { do_center_crop: false };

  test('extreme pictures work', () => {
    for (const image of [blank(1, 1), blank(640, 3), blank(3, 640), blank(20000, 1)]) expect(shape({}, image)).toEqual([3, 224, 224]);
  });
  test('longest edge, alone and as a limit', () => {
    expect(shape({ ...uncropped, size: { longest_edge: 30 } }, blank(60, 45))).toEqual([3, 22, 30]);
    expect(shape({ ...uncropped, size: { longest_edge: 30 } }, blank(1, 600))).toEqual([3, 30, 1]);
    expect(shape({ ...uncropped, size: { shortest_edge: 30, longest_edge: 40 } }, blank(90, 30))).toEqual([3, 13, 40]);
  });
  test('the override', () => {
    expect(shape({}, blank(60, 45), 96)).toEqual([3, 96, 96]);
    expect(shape({ ...uncropped, size: { shortest_edge: 30 } }, blank(60, 45), 96)).toEqual([3, 96, 96]);
    expect(() => shape({}, blank(60, 45), 0)).toThrow('The image size must be a whole number > 0, not 0.');
  });
  test('a strip that would become an endless input is refused', () => {
    expect(() => shape(uncropped, blank(20000000, 1))).toThrow(/above the limit of 8192 x 8192/);
  });
});

describe('configuration', () => {
  test('defaults, nulls and unknown keys', () => {
    const clip = parseProcessorConfig({});
    expect(parseProcessorConfig({ do_center_crop: null, size: null, surprise: [1], processor_class: 'X' })).toEqual(clip);
    expect(parseProcessorConfig({ feature_extractor_type: 'CLIPFeatureExtractor', size: 224, crop_size: 224 })).toEqual(clip);
    expect(parseProcessorConfig({ size: { height: null, width: null, shortest_edge: 336, longest_edge: null } }).size).toEqual({
      shortest_edge: 336,
    });
    const siglip = parseProcessorConfig({
      image_processor_type: 'SiglipImageProcessorFast',
      size: 384,
      crop_size: null,
      do_center_crop: null,
    });
    expect(siglip).toMatchObject({ size: { height: 384, width: 384 }, do_center_crop: false, image_mean: [0.5, 0.5, 0.5], resample: 3 });
    expect(parseProcessorConfig({ image_mean: 0.5, image_std: [0.25] })).toMatchObject({
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.25, 0.25, 0.25],
    });
  });

  test.each([
    [{ size: { shortest_edge: 0 } }, 'm/p.json: "size" must be {"shortest_edge": n}'],
    [{ size: { width: 4 } }, '"size"'],
    [{ size: '224' }, '"size"'],
    [{ crop_size: { shortest_edge: 3 } }, '"crop_size"'],
    [{ resample: 6 }, '"resample" must be a whole number from 0 to 5'],
    [{ do_resize: 'yes' }, '"do_resize" must be true or false, not "yes".'],
    [{ image_mean: [1, 2] }, '"image_mean" must be a number or three numbers, not [1,2].'],
    [{ image_std: [1, 0, 1] }, '"image_std"'],
    [{ rescale_factor: -1 }, '"rescale_factor" must be a number > 0'],
    [[], 'm/p.json must hold a JSON object.'],
    [null, 'm/p.json must hold a JSON object.'],
  ])('%j', (config, message) => {
    expect(() => parseProcessorConfig(config, 'm/p.json')).toThrow(message);
  });
});

test('stacking', () => {
  const processor = ImageProcessor.fromConfig({ size: 4, crop_size: 4 });
  const [a, b] = [blank(4, 4), { ...blank(4, 4), data: new Uint8Array(48).fill(255) }].map(i => processor.process(i).pixelValues);
  const batch = stackImages([a, b]);
  expect(batch.shape).toEqual([2, 3, 4, 4]);
  expect([...batch.data]).toEqual([...a.data, ...b.data]);
  expect(() => stackImages([])).toThrow('at least one image');
  expect(() => stackImages([a, processor.process(blank(9, 9), { size: 5 }).pixelValues])).toThrow('image 0 is 4 x 4, image 1 is 5 x 5');
});

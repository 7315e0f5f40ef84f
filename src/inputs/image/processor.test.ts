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
const cases = [...json('processing.json').processors, ...json('rules.json').processors] as Case[];
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
  test('longest edge, by itself and as a limit', () => {
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
  test('defaults and nulls', () => {
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
    [{ image_processor_type: 'LlavaNextImageProcessor' }, 'm/p.json names the image processor "LlavaNextImageProcessor", whose rules'],
    [{ image_processor_type: 'toStringImageProcessor' }, 'whose rules Narrows does not know; it knows CLIPImageProcessor, '],
    [{ image_processor_type: 'CLIP' }, 'whose rules'],
    [{ feature_extractor_type: 'BeitFeatureExtractor' }, '"BeitFeatureExtractor"'],
    [{ image_processor_type: 'ConvNextImageProcessor', crop_pct: 0 }, '"crop_pct" must be a number > 0 and <= 1, not 0.'],
    [{ image_processor_type: 'ConvNextImageProcessor', size: { height: 8, width: 8 } }, 'm/p.json: "size" must be {"shortest_edge": n}'],
    [{ use_square_size: true, size: { height: 8, width: 8 } }, 'use_square_size'],
    [[], 'm/p.json must hold a JSON object.'],
    [null, 'm/p.json must hold a JSON object.'],
  ])('%j', (config, message) => {
    expect(() => parseProcessorConfig(config, { file: 'm/p.json' })).toThrow(message);
  });
});

describe('keys that are ignored are named', () => {
  const warningsOf = (json: object): string[] => {
    const warnings: string[] = [];
    parseProcessorConfig(json, { file: 'p.json', onWarning: w => warnings.push(w) });
    return warnings;
  };
  test('one of another class, one of no class', () => {
    expect(warningsOf({ crop_pct: 0.9 })).toEqual(['p.json: the key "crop_pct" (0.9) is ignored: CLIPImageProcessor does not read it.']);
    expect(warningsOf({ do_pad: true, pad_size: { height: 9, width: 9 } })).toHaveLength(2);
    expect(warningsOf({ image_processor_type: 'SiglipImageProcessor', use_square_size: true })[0]).toContain('"use_square_size" (true)');
    expect(warningsOf({ image_processor_type: 'ConvNextImageProcessor', do_center_crop: true })[0]).toContain('"do_center_crop"');
    expect(warningsOf({ do_reduce_labels: true, do_flip_channel_order: true })).toHaveLength(2);
  });
  test('nothing is said of keys without an effect, or that are off', () => {
    expect(
      warningsOf({ processor_class: 'X', do_pad: false, size_divisor: null, data_format: 'channels_first', do_flip_channel_order: false }),
    ).toEqual([]);
    expect(warningsOf({ image_processor_type: 'LlavaImageProcessor', do_pad: true })).toEqual([]);
  });
});

describe('the input of a model', () => {
  const model = { size: 24, remedy: (edge?: number) => `REMEDY ${edge}` };
  const of = (config: object, image: RgbImage, size?: number) => ImageProcessor.fromConfig(config, {}, model).process(image, { size });
  test('rules of another size are refused, unless a size is asked for', () => {
    expect(() => of({ size: 32, crop_size: 32 }, blank(61, 45))).toThrow(
      'The image rules make 32 x 32 of a picture of 61 x 45, but the model takes 24 x 24; REMEDY 32.',
    );
    expect(of({ size: 32, crop_size: 32 }, blank(61, 45), 32).pixelValues.shape).toEqual([3, 32, 32]);
    expect(of({ size: 30, crop_size: 24 }, blank(61, 45)).pixelValues.shape).toEqual([3, 24, 24]);
  });
  test('rules that keep proportions serve square pictures only', () => {
    expect(of({ size: 24, do_center_crop: false }, blank(50, 50)).pixelValues.shape).toEqual([3, 24, 24]);
    expect(() => of({ size: 24, do_center_crop: false }, blank(50, 60))).toThrow(
      'make 24 x 28 of a picture of 50 x 60, but the model takes 24 x 24; REMEDY undefined.',
    );
  });
});

test('the view of a padded picture begins outside of it', () => {
  const padded = ImageProcessor.fromConfig({ image_processor_type: 'LlavaImageProcessor', do_pad: true, size: 10, crop_size: 10 });
  expect(padded.process(blank(40, 21)).view).toEqual({ left: 0, top: -9, width: 40, height: 40 });
  expect(padded.process(blank(20, 40)).view).toEqual({ left: -10, top: 0, width: 40, height: 40 });
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

/** @file Where the patch size does not divide the input, everything that is laid over a picture covers what patches cover and no more. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepare } from '../evaluation/compare/engine/prepared.ts';
import type { RgbImage } from '../inputs/image/rgb-image.ts';
import type { CLIPModel } from '../models/clip/model.ts';
import { processImage } from '../models/process-image.ts';
import { createMethod, findMethod } from './registry.ts';
import { tinyPairModel } from './testing/tiny-pairs.ts';

/** Patches of 8 pixels: 38 leaves six at the right and at the bottom. */
const SIZE = 38;
const COVERED = 32;
let model: CLIPModel & { readonly remove: () => Promise<void> };
beforeAll(async () => {
  model = await tinyPairModel();
});
afterAll(async () => {
  await model.release();
  await model.remove();
});

/** A picture of twice the input's size; what lies behind `edge` is of colour `beyond`. */
function picture(edge = 2 * SIZE, beyond = 0): RgbImage {
  const width = 2 * SIZE;
  const data = new Uint8Array(width * width * 3);
  for (let y = 0; y < width; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) data[(y * width + x) * 3 + c] = x < edge && y < edge ? (x * 7 + y * 13 + c * 50) % 256 : beyond;
  return { width, height: width, data };
}
const whole = { left: 0, top: 0, width: 2 * COVERED, height: 2 * COVERED };

describe('a map', () => {
  it('has a view, a grid and pixels that patches cover', async () => {
    const result = await createMethod(findMethod('saliency')!, model, {}).attribute(
      { image: picture(), text: 'a red dog' },
      { imageSize: SIZE },
    );
    const { view, grid, pixels, patches } = result.image!;
    expect(view).toEqual(whole);
    expect(grid).toEqual([4, 4]);
    expect([pixels!.height, pixels!.width, pixels!.values.length]).toEqual([COVERED, COVERED, COVERED ** 2]);
    // Patch by patch the pixels add up to the patches: they are those of the rows that patches cover, not a squeezed whole.
    const sums = new Float64Array(16);
    for (const [i, v] of pixels!.values.entries()) sums[Math.floor(i / COVERED / 8) * 4 + Math.floor((i % COVERED) / 8)] += v;
    for (const [i, v] of patches.entries()) expect(sums[i]).toBeCloseTo(v, 5);
  });

  it('does not depend on what no patch covers, and reads what they cover where it is', async () => {
    // Two pixels of margin: the resizing filter reads over the edge.
    const [a, b] = [picture(2 * COVERED + 8, 0), picture(2 * COVERED + 8, 255)];
    await using method = createMethod(findMethod('occlusion')!, model, {});
    const [first, second] = await Promise.all([a, b].map(image => method.attribute({ image, text: 'a red dog' }, { imageSize: SIZE })));
    expect([...first.image!.patches]).toEqual([...second.image!.patches]);
    expect(first.cosine).toBe(second.cosine);
  });

  it('of the whole input, cut off or not, has the features of the whole', async () => {
    const processed = model.processor.process(picture(), { size: SIZE }).pixelValues;
    const cut = processImage(model, picture(), SIZE).pixelValues;
    const [full, part] = await Promise.all([processed, cut].map(p => model.imageFeatures({ ...p, shape: [1, ...p.shape] })));
    expect([...part.data]).toEqual([...full.data]);
  });
});

describe('a ground truth', () => {
  const sample = (left: number) => {
    const image = picture();
    const data = Uint8Array.from({ length: image.width * image.height }, (_, i) => (i % image.width >= left ? 1 : 0));
    return {
      id: 'a',
      modality: 'image' as const,
      pair: { image, text: 'a red dog' },
      truth: { width: image.width, height: image.height, data },
    };
  };
  it('is laid over the covered part only', async () => {
    const prepared = await prepare(model, sample(COVERED) as never, SIZE);
    expect(prepared.size).toEqual([COVERED, COVERED]);
    expect(prepared.truth).toEqual(Uint8Array.from({ length: COVERED ** 2 }, (_, i) => (i % COVERED >= COVERED / 2 ? 1 : 0)));
    expect((await prepare(model, sample(2 * COVERED) as never, SIZE)).truth).toBeUndefined();
  });
});

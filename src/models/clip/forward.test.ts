import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readFloats, readTensor } from '../../checkpoints/safetensors.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type FloatTensor, floats, ints, type Tensor } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { CLIPModel } from '../pretrained.ts';

const directory = (name: string): string => fileURLToPath(new URL(`../testdata/${name}`, import.meta.url));
const NAMES = ['clip-tiny', 'clip-tiny-b', 'clip-tiny-fp16', 'clip-tiny-sharded-bf16'] as const;

interface Case {
  model: CLIPModel;
  has(name: string): boolean;
  /** A float tensor of outputs.safetensors. */
  get(name: string): Promise<FloatTensor>;
  raw(name: string): Promise<Tensor>;
}
const cases = new Map<string, Promise<Case>>();
afterAll(async () => {
  for (const one of cases.values()) await (await one).model.release();
});
function open(name: string): Promise<Case> {
  let found = cases.get(name);
  if (!found) {
    found = (async () => {
      const { tensors } = await openSafetensors(`${directory(name)}/outputs.safetensors`);
      const entry = (n: string) => tensors.get(n) ?? expect.fail(`no ${n} in ${name}`);
      return {
        model: await CLIPModel.fromPretrained(directory(name)),
        has: n => tensors.has(n),
        get: async n => floats(entry(n).shape, await readFloats(entry(n))),
        raw: n => readTensor(entry(n)),
      };
    })();
    cases.set(name, found);
  }
  return found;
}

/** Every entry within `tolerance` of the largest one. */
function expectNear(actual: FloatTensor, expected: FloatTensor, tolerance: number, label: string): void {
  expect(actual.shape, `${label}: shape`).toEqual(expected.shape);
  const largest = expected.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  expectClose(actual.data, expected.data, { rtol: 0, atol: tolerance * largest, label });
}

const unit = ({ shape, data }: FloatTensor): FloatTensor => {
  const width = shape[1];
  return floats(
    shape,
    data.map((v, i) => v / Math.hypot(...data.subarray(i - (i % width), i - (i % width) + width))),
  );
};

/** Row b of a tensor, kept as a batch of one. */
const rowOf = <T extends Tensor>(t: T, b: number): T => {
  const size = t.data.length / t.shape[0];
  return { ...t, shape: [1, ...t.shape.slice(1)], data: t.data.slice(b * size, (b + 1) * size) };
};

describe.each(NAMES)('%s', name => {
  it('equals PyTorch: embeddings, logits, hidden states, attentions', async () => {
    const { model, has, get, raw } = await open(name);
    const feeds = { pixelValues: await get('pixel_values'), inputIds: await raw('input_ids'), attentionMask: await raw('attention_mask') };
    const out = await model.forward(feeds, { hiddenStates: true, attentions: true });
    expectNear(out.imageEmbeds, await get('image_embeds'), 1e-5, 'image_embeds');
    expectNear(out.textEmbeds, await get('text_embeds'), 1e-5, 'text_embeds');
    expectNear(out.logitsPerImage, await get('logits_per_image'), 1e-5, 'logits_per_image');
    const [images, texts] = out.logitsPerImage.shape;
    expect(out.logitsPerText.shape).toEqual([texts, images]);
    expect(out.logitsPerText.data[1]).toBe(out.logitsPerImage.data[texts]);
    expect(out.visionHiddenStates!.length).toBe(model.image.layers + 1);
    expect(out.textAttentions!.length).toBe(model.text.layers);
    if (has('vision.hidden_states.0')) {
      for (const [i, h] of out.visionHiddenStates!.entries()) expectNear(h, await get(`vision.hidden_states.${i}`), 1e-5, `vision ${i}`);
      for (const [i, h] of out.textHiddenStates!.entries()) expectNear(h, await get(`text.hidden_states.${i}`), 1e-5, `text ${i}`);
      for (const [i, a] of out.visionAttentions!.entries()) expectNear(a, await get(`vision.attentions.${i}`), 1e-5, `attention ${i}`);
    }
    const plain = await model.forward(feeds);
    expect(plain.visionHiddenStates).toBeUndefined();
    expectClose(plain.logitsPerImage.data, out.logitsPerImage.data, { label: 'without hidden states' });
  });

  it('gives features whose directions are the embeddings', async () => {
    const { model, get, raw } = await open(name);
    expectNear(unit(await model.imageFeatures(await get('pixel_values'))), await get('image_embeds'), 1e-5, 'image');
    const features = await model.textFeatures(await raw('input_ids'), await raw('attention_mask'));
    expectNear(unit(features), await get('text_embeds'), 1e-5, 'text');
    // Features are those of get_image_features: not of unit length.
    expect(Math.abs(Math.hypot(...features.data.subarray(0, features.shape[1])) - 1)).toBeGreaterThan(0.01);
  });

  it('gives each input the same by itself as in a batch', async () => {
    const { model, get, raw } = await open(name);
    const [pixels, ids, mask] = [await get('pixel_values'), await raw('input_ids'), await raw('attention_mask')];
    const images = await model.imageFeatures(pixels);
    const texts = await model.textFeatures(ids, mask);
    for (let b = 0; b < pixels.shape[0]; b++) {
      expectNear(await model.imageFeatures(rowOf(pixels, b)), rowOf(images, b), 2e-6, `image ${b}`);
      expectNear(await model.textFeatures(rowOf(ids, b), rowOf(mask, b)), rowOf(texts, b), 2e-6, `text ${b}`);
      // Padding makes no difference.
      const length = (mask.data as Int32Array).subarray(b * mask.shape[1], (b + 1) * mask.shape[1]).reduce((a, m) => a + m, 0);
      const unpadded = ints([1, length], (rowOf(ids, b).data as Int32Array).slice(0, length));
      expectNear(await model.textFeatures(unpadded), rowOf(texts, b), 2e-6, `text ${b} without padding`);
    }
  });
});

describe('another image size', () => {
  it.each([
    ['interpolated', [63, 63], [10, 10]],
    ['interpolated_wide', [30, 66], [5, 11]],
  ])('%s: position embeddings are interpolated as transformers does', async (prefix, size, grid) => {
    const { model, get } = await open('clip-tiny-b');
    const pixels = await get(`${prefix}.pixel_values`);
    expect(pixels.shape.slice(2)).toEqual(size);
    expect(model.image.grid!(size[0], size[1])).toEqual(grid);
    const { hidden, features } = await model.runTower(model.image, model.imageInputs(pixels), -1);
    expectNear(hidden, await get(`${prefix}.vision.hidden_states.0`), 1e-5, 'hidden_states.0');
    expectNear(unit(features), await get(`${prefix}.image_embeds`), 1e-5, 'image_embeds');
    const out = await model.forward({ pixelValues: pixels, inputIds: ints([1, 2], [128, 129]) });
    expectNear(out.imageEmbeds, await get(`${prefix}.image_embeds`), 1e-5, 'forward');
  });

  it('does not change what the size of the config gives afterwards', async () => {
    const { model, get } = await open('clip-tiny-b');
    await model.imageFeatures(await get('interpolated.pixel_values'));
    expectNear(unit(await model.imageFeatures(await get('pixel_values'))), await get('image_embeds'), 1e-5, 'image_embeds');
  });

  it.each([
    [5, 42],
    [42, 3],
  ])('refuses %s × %s, which is less than a patch', async (height, width) => {
    const { model } = await open('clip-tiny-b');
    const pixels = floats([1, 3, height, width], new Float32Array(3 * height * width));
    const error = await model.imageFeatures(pixels).catch(e => e);
    expect(error).toBeInstanceOf(NarrowsError);
    expect(error.message).toBe(`An image of ${width} x ${height} is smaller than one patch of 6; enlarge it.`);
    await expect(model.forward({ pixelValues: pixels, inputIds: ints([1, 1], [129]) })).rejects.toThrow(NarrowsError);
  });
});

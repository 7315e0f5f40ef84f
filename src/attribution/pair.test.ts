import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { floats } from '../tensor/tensor.ts';
import { encodePairs, type Pair } from './pair.ts';
import { createMethod, findMethod } from './registry.ts';
import { row } from './rows.ts';
import { LAYERS, PAIRS, tinyPairModel } from './testing/tiny-pairs.ts';

let model: Awaited<ReturnType<typeof tinyPairModel>>;
beforeAll(async () => {
  model = await tinyPairModel();
});
afterAll(async () => {
  await model.release();
  await model.remove();
});

describe('a pair with pixel values', () => {
  const [a, b] = PAIRS;
  const pixelsOf = ({ image }: Pair) => model.processor.process(image).pixelValues;

  it('is explained by them, and leaves the other pairs of a call as they are', async () => {
    await using method = createMethod(findMethod('grad-cam')!, model);
    const given = { ...a, pixelValues: pixelsOf(b) };
    const [mixed, plain] = await method.attributeAll([given, a]);
    const [other, same] = await method.attributeAll([{ ...a, image: b.image }, a]);
    expect(mixed.image!.tokens).toEqual(other.image!.tokens);
    expect(mixed.cosine).toBe(other.cosine);
    expect(plain.image!.tokens).toEqual(same.image!.tokens);
    expect(mixed.image!.tokens).not.toEqual(plain.image!.tokens);
    // Its record says that the picture is not what was explained.
    expect(mixed.parameters.pixelValues).toMatch(/^sha1:/);
    expect(plain.parameters).not.toHaveProperty('pixelValues');
    expect(mixed.provenance.image.width).toBe(a.image.width);
  });

  it('shows them to no call at the same time', async () => {
    const given = { ...a, pixelValues: pixelsOf(b) };
    const [with_, without] = await Promise.all([encodePairs(model, [given], LAYERS), encodePairs(model, [a], LAYERS)]);
    expect(row(with_.image.features, 0)).not.toEqual(row(without.image.features, 0));
    expect((without.image.inputs.pixel_values.data as Float32Array).slice()).toEqual(pixelsOf(a).data);
  });

  it('is refused where they do not fit', async () => {
    const wrong = (pixelValues: Pair['pixelValues']) => encodePairs(model, [{ ...a, pixelValues }], LAYERS);
    await expect(wrong(floats([3, 16, 16], new Float32Array(768)))).rejects.toThrow(
      'The pixel values of a pair have the shape [3, 16, 16], but its image becomes [3, 32, 32]',
    );
    await expect(wrong(floats([1, 3, 32, 32], new Float32Array(3072)))).rejects.toThrow('shape [1, 3, 32, 32]');
    await expect(wrong(floats([3, 32, 32], new Float32Array(3072).fill(Number.NaN)))).rejects.toThrow('NaN or infinity');
  });
});

import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeSafetensors } from '../checkpoints/write.ts';
import { CLIPModel } from '../models/pretrained.ts';
import { floats, type Tensor } from '../tensor/tensor.ts';
import { attributionInputs, attributionLayer } from './attribution-inputs.ts';
import { ReferenceFile } from './reference.ts';

const testdata = fileURLToPath(new URL('../models/testdata/clip-tiny/', import.meta.url));
let model: CLIPModel;
let root: string;
beforeAll(async () => {
  model = await CLIPModel.fromPretrained(testdata);
  root = await mkdtemp(join(tmpdir(), 'narrows-inputs-'));
});
afterAll(async () => {
  await model.release();
  await rm(root, { recursive: true });
});

/** A reference of one map, without inputs, in a directory of its own. */
async function reference(settings: Record<string, unknown>, beside = true): Promise<ReferenceFile> {
  const directory = await mkdtemp(join(root, 'case-'));
  const path = join(directory, 'attributions.safetensors');
  const tensors: [string, Tensor][] = [['image.nib', floats([17], new Float32Array(17))]];
  await writeSafetensors(path, tensors, { settings: JSON.stringify(settings) });
  if (beside) await copyFile(join(testdata, 'outputs.safetensors'), join(directory, 'outputs.safetensors'));
  return ReferenceFile.open(path);
}

it('are the pair that the settings name, without padding, from the file next to it or the one that is given', async () => {
  const outputs = await ReferenceFile.open(join(testdata, 'outputs.safetensors'));
  const mask = (await outputs.integers('attention_mask')).data as Int32Array;
  for (const pair of [0, 2]) {
    const length = mask.subarray(pair * (mask.length / 3), (pair + 1) * (mask.length / 3)).reduce((a, b) => a + b, 0);
    const all = [
      await attributionInputs({ model, reference: await reference({ pair }) }),
      await attributionInputs({ model, reference: await reference({ pair }, false), inputsPath: outputs.path }),
    ];
    for (const given of all) {
      if ('reason' in given) throw new Error(given.reason);
      expect([given.pair, given.pixelValues.shape, given.inputIds.shape]).toEqual([pair, [1, 3, 32, 32], [1, length]]);
      const pixels = (await outputs.floats('pixel_values')).data;
      expect(given.pixelValues.data[5]).toBe(pixels[pair * 3 * 32 * 32 + 5]);
    }
  }
});

it('say in a sentence why there are none', async () => {
  expect(await attributionInputs({ model, reference: await reference({}, false) })).toEqual({
    reason: expect.stringMatching(/^the file has no pixel_values, and outputs.safetensors next to it does not help \(Cannot read/),
  });
  expect(await attributionInputs({ model, reference: await reference({ pair: 3 }) })).toEqual({
    reason: expect.stringMatching(/^pixel_values of .* has 3 rows, and none for pair 3$/),
  });
  await expect(attributionInputs({ model, reference: await reference({ pair: -1 }) })).rejects.toThrow(/"pair" of .* whole number from 0/);
  const bare = (await reference({}, false)).path;
  await expect(attributionInputs({ model, reference: await reference({}), inputsPath: bare })).rejects.toThrow(
    /given as --inputs, has no pixel_values/,
  );
});

it('the layer is named by the block whose input it is', async () => {
  const layer = async (settings: Record<string, unknown>) => attributionLayer({ model, reference: await reference(settings) });
  expect(await layer({ vision_layer: 2 })).toBe(1);
  expect(await layer({ vision_layer: 0 })).toBe(-1);
  expect(await layer({})).toEqual({ reason: 'the file\'s settings have no "vision_layer"' });
  await expect(layer({ vision_layer: 4 })).rejects.toThrow(/vision_layer of .* is 4, but clip-tiny has blocks 0 to 3/);
});

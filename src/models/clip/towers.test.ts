import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readFloats, readTensor } from '../../checkpoints/safetensors.ts';
import { compile, grad, input, sum, type Value } from '../../graph/index.ts';
import { type FloatTensor, floats, type Tensor } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import type { Tower, TowerInputs } from '../dual-encoder.ts';
import { CLIPModel } from '../pretrained.ts';

/** Padded texts, causal mask, both towers of more than three blocks. */
const directory = fileURLToPath(new URL('../testdata/clip-tiny-b', import.meta.url));
let model: CLIPModel;
let pixels: FloatTensor;
let inputs: Record<'image' | 'text', TowerInputs>;
beforeAll(async () => {
  model = await CLIPModel.fromPretrained(directory);
  const { tensors } = await openSafetensors(`${directory}/outputs.safetensors`);
  const get = (name: string): Promise<Tensor> => readTensor(tensors.get(name)!);
  pixels = floats(tensors.get('pixel_values')!.shape, await readFloats(tensors.get('pixel_values')!));
  inputs = { image: model.imageInputs(pixels), text: model.textInputs(await get('input_ids'), await get('attention_mask')) };
});
afterAll(() => model.release());

const scaled = (t: FloatTensor): number => t.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

/** Features from the output of block `layer`, each sample `repeat` times. */
async function suffix(tower: Tower, layer: number, hidden: FloatTensor, repeat: number): Promise<FloatTensor> {
  const [, tokens, width] = hidden.shape;
  const h = input('hidden', [repeat === 1 ? 'batch' : `${repeat}*batch`, tower.modality === 'text' ? 'seq' : tokens, width]);
  await using graph = await compile(model.runtime, { features: tower.suffix(layer, h, repeat, inputs[tower.modality]) });
  const out = await graph.run({ ...tower.suffixFeeds(inputs[tower.modality]), hidden });
  return out.features as FloatTensor;
}

describe.each(['image', 'text'] as const)('the %s tower', modality => {
  it('says what it is', () => {
    const { layers, width, heads, prefixTokens } = model[modality];
    expect([layers, width, heads, prefixTokens]).toEqual(modality === 'image' ? [5, 24, 3, 1] : [4, 20, 5, 0]);
    expect(inputs.text.attention_mask).toBeDefined();
  });

  it('gives the same features from its prefix and suffix at every layer, the last block only for the pooled token', async () => {
    const tower = model[modality];
    for (let layer = -1; layer < tower.layers; layer++) {
      const { hidden, features } = await model.runTower(tower, inputs[modality], layer);
      const atol = 1e-5 * scaled(features);
      expectClose((await suffix(tower, layer, hidden, 1)).data, features.data, { rtol: 0, atol, label: `layer ${layer}` });
    }
  });

  it('repeats the side inputs of each sample where a sample has several noisy copies', async () => {
    const tower = model[modality];
    const { hidden, features } = await model.runTower(tower, inputs[modality], 1);
    const repeat = 3;
    const [batch, tokens, width] = hidden.shape;
    const size = tokens * width;
    const copies = new Float32Array(repeat * hidden.data.length);
    for (let r = 0; r < batch * repeat; r++)
      copies.set(hidden.data.subarray(Math.floor(r / repeat) * size, (Math.floor(r / repeat) + 1) * size), r * size);
    const out = await suffix(tower, 1, floats([batch * repeat, tokens, width], copies), repeat);
    const dim = features.shape[1];
    expect(out.shape).toEqual([batch * repeat, dim]);
    for (let r = 0; r < batch * repeat; r++)
      expectClose(
        out.data.subarray(r * dim, (r + 1) * dim),
        features.data.subarray(Math.floor(r / repeat) * dim, (Math.floor(r / repeat) + 1) * dim),
        { rtol: 0, atol: 1e-5 * scaled(features), label: `copy ${r}` },
      );
  });

  it('has the same gradient through the suffix as through the whole tower', async () => {
    const tower = model[modality];
    const layer = 1;
    const gradients: FloatTensor[] = [];
    const { hidden } = await model.runTower(tower, inputs[modality], layer);
    const whole = tower.prefix(layer, inputs[modality]);
    const [, tokens, width] = hidden.shape;
    const h = input('hidden', ['batch', modality === 'text' ? 'seq' : tokens, width]);
    const pairs: [Value, Value][] = [
      [whole.features, whole.hidden],
      [tower.suffix(layer, h, 1, inputs[modality]), h],
    ];
    for (const [features, wrt] of pairs) {
      await using graph = await compile(model.runtime, { g: grad(sum(features), [wrt])[0] });
      gradients.push((await graph.run({ ...inputs[modality], hidden })).g as FloatTensor);
    }
    expectClose(gradients[1].data, gradients[0].data, { rtol: 0, atol: 1e-5 * scaled(gradients[0]), label: 'gradient' });
    expect(scaled(gradients[0])).toBeGreaterThan(0);
  });
});

import { afterAll, describe, expect, it } from 'vitest';
import { readFloats } from '../../checkpoints/safetensors.ts';
import { compile, grad, input, type Value } from '../../graph/index.ts';
import { trainableParameters } from '../../nn/parameters.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { type FloatTensor, floats, ints } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { LlavaModel } from '../pretrained.ts';
import { pixelInput, tokenInputs } from './files.ts';
import { llavaForward, nextTokenLoss } from './forward.ts';
import { placementFeeds } from './model.ts';
import { MODALITY, placeImages } from './placement.ts';
import { directoryOf, expectNear, FAMILIES, golden } from './testing/goldens.ts';

const runtime = nodeRuntime({ threads: 2 });
const models = new Map<string, Promise<LlavaModel>>();
const open = (name: string): Promise<LlavaModel> => {
  const found = models.get(name) ?? LlavaModel.fromPretrained(directoryOf(name), { runtime });
  models.set(name, found);
  return found;
};
afterAll(async () => {
  for (const model of models.values()) await (await model).release();
});

/** The loss's gradient with regard to every tensor of the model, by name. */
async function gradients(model: LlavaModel, prefix = ''): Promise<{ loss: number; grads: Map<string, FloatTensor> }> {
  const g = await golden(model.parts.name.split('/').at(-1)!);
  const pixels = await g.floats('pixel_values');
  const placement = placeImages(model.config, await g.raw(`${prefix}input_ids`), pixels.shape[0], await g.raw(`${prefix}attention_mask`));
  const p = trainableParameters();
  const run = llavaForward(p, model.config, tokenInputs(), pixelInput(model.config));
  const loss = nextTokenLoss(run.logits, input('labels', ['batch', 'seq'], 'int32'));
  const names = [...p.all.keys()];
  const values = grad(loss, [...p.all.values()]);
  await using graph = await compile(runtime, { loss, ...Object.fromEntries(values.map((v, i) => [`grad.${names[i]}`, v])) });
  const weights: Record<string, FloatTensor> = {};
  for (const name of names) {
    const entry = model.parts.checkpoint.entries.get(name)!;
    weights[name] = floats(entry.shape, await readFloats(entry));
  }
  const feeds = { ...placementFeeds(placement), pixel_values: pixels, labels: await g.raw(`${prefix}labels`), ...weights };
  const out = await graph.run(feeds);
  return { loss: out.loss.data[0] as number, grads: new Map(names.map(n => [n, out[`grad.${n}`] as FloatTensor])) };
}

describe('llava-tiny', () => {
  it('equals PyTorch: logits, loss, hidden states, image features', async () => {
    const [model, g] = [await open('llava-tiny'), await golden('llava-tiny')];
    const [inputIds, attentionMask, labels, pixelValues] = [
      await g.raw('input_ids'),
      await g.raw('attention_mask'),
      await g.raw('labels'),
      await g.floats('pixel_values'),
    ];
    const out = await model.forward({ inputIds, attentionMask, labels, pixelValues }, { hiddenStates: true });
    expectNear(out.logits, await g.floats('logits'), 1e-5, 'logits');
    expectClose([out.loss!], (await g.floats('loss')).data, { rtol: 1e-5 });
    for (const [i, h] of out.hiddenStates!.entries()) expectNear(h, await g.floats(`hidden_states.${i}`), 1e-5, `hidden state ${i}`);
    const features = await model.imageFeatures(pixelValues);
    const expected = await g.floats('image_features');
    expectNear(floats(expected.shape, features.data), expected, 1e-5, 'image features');
    const ids = inputIds.data as Int32Array;
    const image = model.config.image_token_index;
    expect(Array.from(out.placement.modality.data, Number)).toEqual(
      Array.from(ids, (id, i) => (!attentionMask.data[i] ? MODALITY.padding : id === image ? MODALITY.image : MODALITY.text)),
    );
  });

  it('equals PyTorch: every gradient', async () => {
    const [model, g] = [await open('llava-tiny'), await golden('llava-tiny')];
    const { loss, grads } = await gradients(model);
    expectClose([loss], (await g.floats('loss')).data, { rtol: 1e-5 });
    const expected = g.names.filter(n => n.startsWith('grad.')).map(n => n.slice(5));
    expect([...grads.keys()].sort()).toEqual(expected.sort());
    for (const [name, value] of grads) expectNear(value, await g.floats(`grad.${name}`), 1e-4, name);
  });
});

describe.each(FAMILIES)('%s', name => {
  it.each(['right', 'left'])('equals PyTorch with padding on the %s: two images, only text, one image', async side => {
    const [model, g] = [await open(name), await golden(name)];
    const attentionMask = await g.raw(`${side}.attention_mask`);
    const out = await model.forward({
      inputIds: await g.raw(`${side}.input_ids`),
      attentionMask,
      labels: await g.raw(`${side}.labels`),
      pixelValues: await g.floats('pixel_values'),
    });
    expectNear(out.logits, await g.floats(`${side}.logits`), 1e-5, 'logits', Array.from(attentionMask.data as Int32Array, Number));
    expectClose([out.loss!], (await g.floats(`${side}.loss`)).data, { rtol: 1e-5 });
  });

  it('equals PyTorch: every gradient, by three sums', async () => {
    const [model, g] = [await open(name), await golden(name)];
    const { grads } = await gradients(model, 'right.');
    expect([...grads.keys()].sort()).toEqual(g.names.flatMap(n => (n.startsWith('grad.') ? [n.slice(5)] : [])).sort());
    for (const [tensor, { data }] of grads) {
      const sums = [0, 0, 0];
      data.forEach((v, i) => {
        sums[0] += v;
        sums[1] += Math.abs(v);
        sums[2] += v * Math.cos(i);
      });
      expectNear(floats([3], sums), await g.floats(`grad.${tensor}`), 1e-4, tensor);
    }
  });
});

describe('LlavaModel', () => {
  it('gives a text the same without any image in its batch as with images', async () => {
    const [model, g] = [await open('qwen2-tied'), await golden('qwen2-tied')];
    const [ids, mask, logits] = [await g.raw('right.input_ids'), await g.raw('right.attention_mask'), await g.floats('right.logits')];
    const [, length] = ids.shape;
    const row = Array.from((ids.data as Int32Array).subarray(length, 2 * length)).filter((_, t) => mask.data[length + t]);
    const single = await model.forward({ inputIds: ints([1, row.length], row) });
    const width = logits.shape[2];
    expectClose(single.logits.data, logits.data.subarray(length * width, (length + row.length) * width), { rtol: 1e-5, atol: 1e-5 });
    expect(single.loss).toBeUndefined();
  });

  it('lets a tap replace the embeddings and the output of each block, here by themselves', async () => {
    const g = await golden('llava-tiny');
    const feeds = {
      inputIds: await g.raw('input_ids'),
      attentionMask: await g.raw('attention_mask'),
      pixelValues: await g.floats('pixel_values'),
    };
    const layers: number[] = [];
    const tap = (layer: number, hidden: Value) => {
      layers.push(layer);
      return hidden;
    };
    await using model = await LlavaModel.fromPretrained(directoryOf('llava-tiny'), { runtime, tap });
    const out = await model.forward(feeds);
    expect(layers).toEqual([-1, 0, 1, 2, 3]);
    expect(out.logits.data).toEqual((await (await open('llava-tiny')).forward(feeds)).logits.data);
  });
});

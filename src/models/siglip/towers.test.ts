/** @file SigLIP's towers as attribution methods see them, against PyTorch. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readFloats, readTensor, type TensorEntry } from '../../checkpoints/safetensors.ts';
import { compile, grad, input, mul, sum, type Value } from '../../graph/index.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import type { Tower, TowerInputs } from '../dual-encoder.ts';
import { SiglipModel } from '../pretrained.ts';

const directory = fileURLToPath(new URL('testdata/siglip-tiny-b', import.meta.url));
let model: SiglipModel;
let inputs: Record<'image' | 'text', TowerInputs>;
const entries = new Map<string, TensorEntry>();
const golden = async (name: string): Promise<FloatTensor> => floats(entries.get(name)!.shape, await readFloats(entries.get(name)!));
beforeAll(async () => {
  model = await SiglipModel.fromPretrained(directory);
  for (const file of ['outputs', 'inside'])
    for (const [name, entry] of (await openSafetensors(`${directory}/${file}.safetensors`)).tensors) entries.set(name, entry);
  inputs = {
    image: model.imageInputs(await golden('pixel_values')),
    text: model.textInputs(await readTensor(entries.get('input_ids')!)),
  };
});
afterAll(() => model.release());

async function run(outputs: Record<string, Value>, feeds: Feeds): Promise<Record<string, FloatTensor>> {
  await using graph = await compile(model.runtime, outputs);
  return (await graph.run(feeds)) as Record<string, FloatTensor>;
}
const largest = (t: FloatTensor): number => t.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
const close = (actual: FloatTensor, expected: FloatTensor, label: string): void => {
  expect(actual.shape, label).toEqual(expected.shape);
  expectClose(actual.data, expected.data, { rtol: 0, atol: 1e-5 * largest(expected), label });
};
/** The output of a block as a graph input, axes named as methods name them. */
const hiddenInput = (tower: Tower, hidden: FloatTensor, batch = 'batch'): Value =>
  input('hidden', [batch, tower.modality === 'text' ? 'seq' : hidden.shape[1], hidden.shape[2]]);

it('says what the towers are', () => {
  const { layers, width, heads, features, prefixTokens, pooling } = model.image;
  expect({ layers, width, heads, features, prefixTokens, pooling }).toEqual({
    layers: 3,
    width: 32,
    heads: 4,
    features: 32,
    prefixTokens: 0,
    pooling: 'attention',
  });
  expect(model.image.grid!(42, 59)).toEqual([5, 7]);
  expect(model.image.project).toBeUndefined();
  expect(model.image.pooledTokens).toBeUndefined();
  expect(model.text).toMatchObject({ layers: 3, width: 24, heads: 3, features: 32, prefixTokens: 0, pooling: 'token' });
  expect(model.text.pooledTokens!(inputs.text)).toEqual([11, 11]);
});

describe.each(['image', 'text'] as const)('the %s tower', modality => {
  const prefix = modality === 'image' ? 'vision' : 'text';

  it('has the hidden states, attentions and features of PyTorch inside', async () => {
    const tower = model[modality];
    const feed = inputs[modality];
    const embedded = tower.embed(tower.source(feed), feed);
    const { blocks, features } = tower.trace(-1, embedded, 1, feed);
    const outputs: Record<string, Value> = { embedded, features };
    for (const [i, block] of blocks.entries()) Object.assign(outputs, { [`hidden${i}`]: block.hidden, [`attention${i}`]: block.attention });
    const out = await run(outputs, feed);
    close(out.embedded, await golden(`${prefix}.hidden_states.0`), 'embeddings');
    expect(blocks).toHaveLength(3);
    for (const i of blocks.keys()) {
      close(out[`hidden${i}`], await golden(`${prefix}.hidden_states.${i + 1}`), `hidden state ${i + 1}`);
      close(out[`attention${i}`], await golden(`${prefix}.attentions.${i}`), `attention ${i}`);
    }
    close(out.features, await golden(`${prefix}.pooler_output`), 'features');
  });

  it('gives the same features from prefix, suffix and trace at every layer, and for copies of a sample', async () => {
    const tower = model[modality];
    const feed = inputs[modality];
    const expected = await golden(`${prefix}.pooler_output`);
    for (let layer = -1; layer < tower.layers; layer++) {
      const { hidden, features } = await model.runTower(tower, feed, layer);
      close(features, expected, `prefix ${layer}`);
      close(hidden, await golden(`${prefix}.hidden_states.${layer + 1}`), `hidden ${layer}`);
      const h = hiddenInput(tower, hidden);
      const out = await run(
        { suffix: tower.suffix(layer, h, 1, feed), trace: tower.trace(layer, h, 1, feed).features },
        { ...tower.suffixFeeds(feed), hidden },
      );
      close(out.suffix, expected, `suffix ${layer}`);
      close(out.trace, expected, `trace ${layer}`);
    }
    const { hidden } = await model.runTower(tower, feed, 1);
    const [batch, tokens, width] = hidden.shape;
    const half = hidden.data.length / batch;
    const twice = new Float32Array(2 * hidden.data.length);
    for (let r = 0; r < 2 * batch; r++) twice.set(hidden.data.subarray((r >> 1) * half, ((r >> 1) + 1) * half), r * half);
    const wide = floats([2 * batch, tokens, width], twice);
    const out = await run({ features: tower.suffix(1, hiddenInput(tower, hidden, '2*batch'), 2, feed) }, { hidden: wide });
    close(
      floats(
        [batch, 32],
        Float32Array.from({ length: batch * 32 }, (_, i) => out.features.data[2 * Math.floor(i / 32) * 32 + (i % 32)]),
      ),
      expected,
      'copies',
    );
  });

  it('has the gradients of PyTorch with regard to each block, through suffix and trace', async () => {
    const tower = model[modality];
    const feed = inputs[modality];
    // The cosine's gradient is that of a sum with fixed weights, up to the sum's own gradient: a weighted sum of the features.
    const [mine, other] = [
      await golden(`${prefix}.pooler_output`),
      await golden(`${modality === 'image' ? 'text' : 'vision'}.pooler_output`),
    ];
    const row = (t: FloatTensor): Float32Array => t.data.subarray(0, 32);
    const norm = (v: Float32Array): number => Math.hypot(...v);
    const cosine = (await golden('grad.cosine')).data[0];
    const weights = row(other).map((v, i) => (v / norm(row(other)) - (cosine * row(mine)[i]) / norm(row(mine))) / norm(row(mine)));
    for (let layer = -1; layer < tower.layers; layer++) {
      const { hidden } = await model.runTower(tower, feed, layer);
      const h = hiddenInput(tower, hidden);
      const w = input('weights', [1, 32]);
      const outputs: Record<string, Value> = {};
      for (const [name, features] of [
        ['suffix', tower.suffix(layer, h, 1, feed)],
        ['trace', tower.trace(layer, h, 1, feed).features],
      ] as const)
        outputs[name] = grad(sum(mul(features, w)), [h])[0];
      const first = floats([1, ...hidden.shape.slice(1)], hidden.data.subarray(0, hidden.data.length / 2));
      const out = await run(outputs, { hidden: first, weights: floats([1, 32], weights) });
      const expected = await golden(`grad.${prefix}.hidden_states.${layer + 1}`);
      for (const name of ['suffix', 'trace'])
        expectClose(out[name].data, expected.data, { rtol: 0, atol: 1e-4 * largest(expected), label: `${name} ${layer}` });
    }
  });

  it('hides tokens from every attention, as PyTorch without them', async () => {
    const tower = model[modality];
    const feed = inputs[modality];
    const [shown, expected] = modality === 'image' ? ['shown', 'shown.features'] : ['mask', 'mask.features'];
    const { hidden, features } = await model.runTower(tower, feed, -1);
    const h = hiddenInput(tower, hidden);
    const keyMask = input('keys', ['batch', h.shape[1]]);
    const out = await run(
      { suffix: tower.suffix(-1, h, 1, feed, { keyMask }), trace: tower.trace(-1, h, 1, feed, { keyMask }).features },
      { hidden, keys: await golden(shown) },
    );
    close(out.suffix, await golden(expected), 'suffix');
    close(out.trace, await golden(expected), 'trace');
    expect(Math.abs(out.suffix.data[0] - features.data[0])).toBeGreaterThan(1e-3);
  });

  it('passes the outputs of the blocks above through the tap', async () => {
    const tower = model[modality];
    const feed = inputs[modality];
    const { hidden } = await model.runTower(tower, feed, 0);
    const h = hiddenInput(tower, hidden);
    const seen: number[] = [];
    const tap = (layer: number, value: Value): Value => {
      seen.push(layer);
      return layer === 1 ? mul(value, 0) : value;
    };
    const tapped = tower.suffix(0, h, 1, feed, { tap });
    // A pooling head reads every token of the last block; elsewhere nothing stands on its output.
    expect(seen).toEqual(modality === 'image' ? [1, 2] : [1]);
    const out = await run({ tapped, zero: tower.suffix(1, mul(h, 0), 1, feed) }, { hidden });
    close(out.tapped, out.zero, 'zeros after block 1');
  });
});

describe('the tower ends', () => {
  it("the image's head attends as PyTorch's, on the way to the features, and pools any block", async () => {
    const { image } = model;
    const { hidden } = await model.runTower(image, inputs.image, 1);
    const h = hiddenInput(image, hidden);
    const { features, poolAttention } = image.trace(1, h, 1, inputs.image);
    const out = await run({ poolAttention: poolAttention!, slope: grad(sum(features), [poolAttention!])[0] }, { hidden });
    close(out.poolAttention, await golden('pool_attention'), 'attention');
    expect(largest(out.slope)).toBeGreaterThan(1e-3);
    const first = (await model.runTower(image, inputs.image, 0)).hidden;
    const pooled = image.pool(h, 1, inputs.image);
    const ends = await run({ features: pooled.features, attention: pooled.attention! }, { hidden: first });
    close(ends.features, await golden('pool.0'), 'pool');
    expect(ends.attention.shape).toEqual([2, 4, 1, 25]);
  });

  it("the text's projects tokens one by one, the last of which is pooled", async () => {
    const { text } = model;
    const { hidden, features } = await model.runTower(text, inputs.text, 2);
    const h = hiddenInput(text, hidden);
    const out = await run({ pooled: text.pool(h, 1, inputs.text).features, tokens: text.project!(h) }, { hidden });
    close(out.pooled, features, 'pooled');
    expect(out.tokens.shape).toEqual([2, 12, 32]);
    for (const p of [0, 1])
      expectClose(out.tokens.data.subarray((p * 12 + 11) * 32, (p + 1) * 12 * 32), features.data.subarray(p * 32, (p + 1) * 32), {
        atol: 1e-5 * largest(features),
      });
  });
});

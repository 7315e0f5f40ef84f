import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readFloats, readTensor } from '../../checkpoints/safetensors.ts';
import { compile, input, mul, type Value } from '../../graph/index.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { type FloatTensor, floats, type Tensor } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import type { Tower, TowerInputs } from '../dual-encoder.ts';
import { CLIPModel } from '../pretrained.ts';

/** Padded texts, causal mask, with hidden states and attentions from PyTorch. */
const directory = fileURLToPath(new URL('../testdata/clip-tiny-b', import.meta.url));
let model: CLIPModel;
let inputs: Record<'image' | 'text', TowerInputs>;
let golden: (name: string) => Promise<FloatTensor>;
beforeAll(async () => {
  model = await CLIPModel.fromPretrained(directory);
  const { tensors } = await openSafetensors(`${directory}/outputs.safetensors`);
  const get = (name: string): Promise<Tensor> => readTensor(tensors.get(name)!);
  golden = async name => floats(tensors.get(name)!.shape, await readFloats(tensors.get(name)!));
  const pixels = await golden('pixel_values');
  inputs = { image: model.imageInputs(pixels), text: model.textInputs(await get('input_ids'), await get('attention_mask')) };
});
afterAll(() => model.release());

async function run(outputs: Record<string, Value>, feeds: Feeds): Promise<Record<string, FloatTensor>> {
  await using graph = await compile(model.runtime, outputs);
  return (await graph.run(feeds)) as Record<string, FloatTensor>;
}
const close = (actual: FloatTensor, expected: FloatTensor, label: string): void => {
  const largest = expected.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  expectClose(actual.data, expected.data, { rtol: 0, atol: 2e-5 * largest, label });
};
/** The tower's own input of its first block. */
const embedded = (tower: Tower): Value => tower.embed(tower.source(inputs[tower.modality]), inputs[tower.modality]);

describe.each(['image', 'text'] as const)('the inside of the %s tower', modality => {
  const prefix = modality === 'image' ? 'vision' : 'text';

  it('has the hidden states and attentions of PyTorch', async () => {
    const tower = model[modality];
    const feed = inputs[modality];
    const hidden = embedded(tower);
    const { blocks, features } = tower.trace(-1, hidden, 1, feed);
    expect(blocks).toHaveLength(tower.layers);
    const outputs: Record<string, Value> = { embedded: hidden, features };
    for (const [i, block] of blocks.entries()) Object.assign(outputs, { [`hidden${i}`]: block.hidden, [`attention${i}`]: block.attention });
    const out = await run(outputs, feed);
    close(out.embedded, await golden(`${prefix}.hidden_states.0`), 'embeddings');
    for (let i = 0; i < tower.layers; i++) {
      close(out[`hidden${i}`], await golden(`${prefix}.hidden_states.${i + 1}`), `hidden state ${i + 1}`);
      // The reference keeps the attentions of the image tower alone.
      if (modality === 'image') close(out[`attention${i}`], await golden(`vision.attentions.${i}`), `attention ${i}`);
    }
    close(out.features, (await model.runTower(tower, feed, 0)).features, 'features');
  });

  it('makes its context from attention and values, and its output from the projected context', async () => {
    const tower = model[modality];
    const { blocks } = tower.trace(-1, embedded(tower), 1, inputs[modality]);
    const { attention, value, context, normed, query, project } = blocks[1];
    const out = await run({ attention, value, context, normed, query, projected: project(context) }, inputs[modality]);
    const [batch, heads, tokens, depth] = out.value.shape;
    expect(out.query.shape).toEqual(out.value.shape);
    expect(out.normed.shape).toEqual(out.projected.shape);
    const [b, h, n, d] = [batch - 1, heads - 1, 2, 1];
    let sum = 0;
    for (let m = 0; m < tokens; m++)
      sum += out.attention.data[((b * heads + h) * tokens + n) * tokens + m] * out.value.data[((b * heads + h) * tokens + m) * depth + d];
    expect(out.context.data[(b * tokens + n) * heads * depth + h * depth + d]).toBeCloseTo(sum, 4);
  });

  it('pools the last hidden state to the features, and projects tokens one by one', async () => {
    const tower = model[modality];
    const feed = inputs[modality];
    const { blocks } = tower.trace(-1, embedded(tower), 1, feed);
    const last = blocks.at(-1)!.hidden;
    const out = await run({ pooled: tower.pool(last, 1, feed).features, tokens: tower.project!(last) }, feed);
    const { features } = await model.runTower(tower, feed, 0);
    close(out.pooled, features, 'pooled');
    const at = tower.pooledTokens!(feed);
    const [, count, width] = out.tokens.shape;
    for (const [p, token] of at.entries()) {
      const from = (p * count + token) * width;
      const [row, expected] = [out.tokens.data.subarray(from, from + width), features.data.subarray(p * width, (p + 1) * width)];
      expectClose(row, expected, { rtol: 1e-3, atol: 1e-4, label: `token ${token} of ${p}` });
    }
  });

  it('hides the tokens that the key mask names: their values reach nothing', async () => {
    const tower = model[modality];
    const feed = inputs[modality];
    const { hidden } = await model.runTower(tower, feed, 0);
    const [batch, tokens, width] = hidden.shape;
    const named = modality === 'text' ? 'seq' : tokens;
    const h = input('hidden', ['batch', named, width]);
    const keyMask = input('keys', ['batch', named]);
    const masked = tower.suffix(0, h, 1, feed, { keyMask });
    const traced = tower.trace(0, h, 1, feed, { keyMask }).features;
    // Token 1 is a patch or the first word; it stands before the pooled token of every text.
    const keys = floats([batch, tokens], new Float32Array(batch * tokens).fill(1));
    const feeds = { ...tower.suffixFeeds(feed), hidden, keys };
    await using graph = await compile(model.runtime, { masked, traced });
    const values = async (): Promise<FloatTensor[]> => {
      const out = await graph.run(feeds);
      return [out.masked as FloatTensor, out.traced as FloatTensor].map(t => floats(t.shape, t.data.slice()));
    };
    const [all] = await values();
    close(all, (await model.runTower(tower, feed, 0)).features, 'nothing hidden');
    for (let p = 0; p < batch; p++) keys.data[p * tokens + 1] = 0;
    const [one, trace] = await values();
    close(trace, one, 'trace');
    for (let p = 0; p < batch; p++) for (let d = 0; d < width; d++) hidden.data[(p * tokens + 1) * width + d] += 3 * (d % 3) - 2;
    const [changed] = await values();
    close(changed, one, 'a hidden token changes nothing');
    expect(Math.max(...one.data.map((v, i) => Math.abs(v - all.data[i])))).toBeGreaterThan(1e-3);
  });

  it('passes the outputs of the blocks above through the tap', async () => {
    const tower = model[modality];
    const feed = inputs[modality];
    const { hidden } = await model.runTower(tower, feed, 0);
    const h = input('hidden', ['batch', modality === 'text' ? 'seq' : hidden.shape[1], hidden.shape[2]]);
    const seen: number[] = [];
    const tap = (layer: number, value: Value): Value => {
      seen.push(layer);
      return layer === 1 ? mul(value, 0) : value;
    };
    const tapped = tower.suffix(0, h, 1, feed, { tap });
    // The last block is run for the pooled token alone; nothing stands on its output.
    expect(seen).toEqual(Array.from({ length: tower.layers - 2 }, (_, i) => i + 1));
    const zero = tower.suffix(1, mul(h, 0), 1, feed);
    const out = await run({ tapped, zero }, { ...tower.suffixFeeds(feed), hidden });
    close(out.tapped, out.zero, 'zeros after block 1');
  });
});

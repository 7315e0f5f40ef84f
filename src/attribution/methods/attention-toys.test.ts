import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint, readConfig } from '../../checkpoints/disk.ts';
import { readFloats } from '../../checkpoints/safetensors.ts';
import { saveCheckpoint } from '../../checkpoints/save.ts';
import { compile, grad, matmul, reshape, slice, squeeze, sum, transpose } from '../../graph/index.ts';
import type { Modality } from '../../models/dual-encoder.ts';
import { CLIPModel } from '../../models/pretrained.ts';
import { type FloatTensor, floats, ints, type Tensor } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { ReferenceFile } from '../../verify/reference.ts';
import { explainTensors, type TensorPairs } from '../../verify/tensor-run.ts';
import { findMethod } from '../registry.ts';

const source = fileURLToPath(new URL('../../models/testdata/clip-tiny', import.meta.url));
let root: string;
let pairs: TensorPairs;
const models: CLIPModel[] = [];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-toys-'));
  const outputs = await ReferenceFile.open(join(source, 'outputs.safetensors'));
  const pixels = await outputs.floats('pixel_values');
  pairs = {
    pixelValues: floats([1, ...pixels.shape.slice(1)], pixels.data.subarray(0, 3 * 32 * 32)),
    inputIds: ints([1, 5], [94, 7, 8, 9, 95]),
  };
});
afterAll(async () => {
  for (const model of models) await model.release();
  await rm(root, { recursive: true });
});

/** clip-tiny with some weights set to zero, and its first blocks alone. */
async function toy(zero: RegExp, blocks = 9): Promise<CLIPModel> {
  const directory = join(root, `toy-${models.length}`);
  const { entries } = await openCheckpoint(source);
  const tensors: [string, Tensor][] = [];
  for (const [name, entry] of entries) {
    if (Number(/layers\.(\d+)\./.exec(name)?.[1] ?? -1) >= blocks) continue;
    const values = await readFloats(entry);
    tensors.push([name, floats(entry.shape, zero.test(name) ? new Float32Array(values.length) : values)]);
  }
  const config = JSON.parse(JSON.stringify(await readConfig(source)));
  for (const part of ['vision_config', 'text_config']) config[part].num_hidden_layers = Math.min(blocks, config[part].num_hidden_layers);
  await saveCheckpoint(directory, tensors, { config });
  const model = await CLIPModel.fromPretrained(directory);
  models.push(model);
  return model;
}

async function explain(
  model: CLIPModel,
  name: string,
  modality: Modality,
  options: Record<string, unknown> = {},
  warnings: string[] = [],
): Promise<number[]> {
  const call = { options, wanted: [modality], onWarning: (message: string) => warnings.push(message) };
  return [...(await explainTensors(model, findMethod(name)!, pairs, call))[modality]![0].tokens];
}

describe('uniform attention (queries of zero)', () => {
  let model: CLIPModel;
  beforeAll(async () => {
    model = await toy(/q_proj/);
  });
  const same = (n: number, value: number): number[] => Array(n).fill(value);

  it('is read as 1/N by raw attention', async () => {
    expectClose(await explain(model, 'raw-attention', 'image'), same(17, 1 / 17), { rtol: 1e-5 });
    // The end of the text sees all five tokens.
    expectClose(await explain(model, 'raw-attention', 'text'), same(5, 1 / 5), { rtol: 1e-5 });
  });

  it.each(['mean', 'max', 'min'])(
    'is mixed by rollout (%s): (J/N + I)/2 four times leaves 1/16 of the class token itself',
    async fusion => {
      const mixed = (1 - 1 / 16) / 17;
      expectClose(await explain(model, 'rollout', 'image', { fusion }), [1 / 16 + mixed, ...same(16, mixed)], { rtol: 1e-5 });
    },
  );

  it('leaves rollout of two causal blocks the sums known by hand', async () => {
    // Row i of A is 1/(i + 1) up to i; the last two of three blocks: row 4 of ((A + I)/2)².
    const a = Array.from({ length: 5 }, (_, i) =>
      Array.from({ length: 5 }, (_, j) => (j <= i ? 1 / (i + 1) : 0) / 2 + (i === j ? 0.5 : 0)),
    );
    const expected = a[4].map((_, j) => a[4].reduce((total, v, k) => total + v * a[k][j], 0));
    expectClose(await explain(model, 'rollout', 'text', { textStartBlock: 1 }), expected, { rtol: 1e-5 });
  });
});

describe('a tower of one block', () => {
  let model: CLIPModel;
  beforeAll(async () => {
    model = await toy(/never/, 1);
  });

  it('has one rollout: half the raw attention', async () => {
    for (const modality of ['image', 'text'] as const) {
      const raw = await explain(model, 'raw-attention', modality);
      const pooled = modality === 'image' ? 0 : 4;
      const expected = raw.map((v, i) => v / 2 + (i === pooled ? 0.5 : 0));
      expectClose(await explain(model, 'rollout', modality), expected, { rtol: 1e-5 });
    }
  });

  it('has the same map of Chefer for the last and for all layers', async () => {
    for (const modality of ['image', 'text'] as const) {
      const last = await explain(model, 'chefer', modality);
      expectClose(await explain(model, 'chefer', modality, { layers: 'all' }), last, { rtol: 1e-5 });
    }
  });

  it('is served by every method, and refuses two blocks', async () => {
    for (const name of ['grad-eclip', 'legrad', 'clip-surgery'])
      expect((await explain(model, name, 'image')).every(Number.isFinite)).toBe(true);
    expect((await explain(model, 'grad-eclip', 'image', { form: 'published' })).every(Number.isFinite)).toBe(true);
    await expect(explain(model, 'legrad', 'image', { blocks: 2 })).rejects.toThrow('the image tower has 1, so a number from 1 to 1');
  });
});

describe('a last block that cannot show anything', () => {
  it('values of zero: attention moves nothing, so gradients of attention are zero and maps too, with a warning', async () => {
    const model = await toy(/v_proj/);
    for (const [name, modality] of [
      ['chefer', 'image'],
      ['chefer', 'text'],
      ['grad-eclip', 'image'],
      ['grad-eclip', 'text'],
      ['legrad', 'image'],
    ] as const) {
      const warnings: string[] = [];
      expect(await explain(model, name, modality, {}, warnings), name).toEqual(Array(modality === 'image' ? 17 : 5).fill(0));
      expect(warnings).toEqual([
        `The ${modality} map is zero everywhere: this method keeps only evidence for the target, and there is none.`,
      ]);
    }
  });

  it.each(['multi-head', 'published'])('keys that are all alike: λ is one for every patch, without NaN (%s)', async form => {
    for (const zero of [/k_proj/, /(q|k)_proj|out_proj.bias/]) {
      const model = await toy(zero);
      const plain = await explain(model, 'grad-eclip', 'image', { form, ksim: false });
      expectClose((await explain(model, 'grad-eclip', 'image', { form })).slice(1), plain.slice(1), { rtol: 1e-5 });
      const text = await explain(model, 'grad-eclip', 'text', { form });
      expectClose(text, await explain(model, 'grad-eclip', 'text', { form, ksim: false }), { rtol: 1e-5 });
    }
  });
});

it('padding has the value zero in maps of attention, so that a map of nothing else is called zero', async () => {
  const model = await toy(/never/);
  const { pixelValues } = pairs;
  const batch: TensorPairs = {
    pixelValues: floats([2, ...pixelValues.shape.slice(1)], Float32Array.from([...pixelValues.data, ...pixelValues.data])),
    inputIds: ints([2, 5], [94, 7, 8, 9, 95, 94, 7, 95, 95, 95]),
    attentionMask: ints([2, 5], [1, 1, 1, 1, 1, 1, 1, 1, 0, 0]),
  };
  for (const name of ['raw-attention', 'grad-eclip', 'chefer']) {
    const { text } = await explainTensors(model, findMethod(name)!, batch, { wanted: ['text'] });
    expect([...text![0].tokens].every(v => v === 0)).toBe(false);
    expect([...text![1].tokens.slice(3)], name).toEqual([0, 0]);
    expect([...text![1].tokens.slice(0, 3)].some(v => v !== 0)).toBe(true);
  }
  const warnings: string[] = [];
  const blind = await toy(/v_proj/);
  await explainTensors(blind, findMethod('grad-eclip')!, batch, { wanted: ['text'], onWarning: message => warnings.push(message) });
  expect(warnings).toEqual(['The text maps are zero everywhere: this method keeps only evidence for the target, and there is none.']);
});

it('identity of Grad-ECLIP: gradient at the pooled context times values = gradient of attention, per head', async () => {
  const model = await toy(/never/);
  const inputs = model.imageInputs(pairs.pixelValues);
  const { image: tower } = model;
  const { blocks, features } = tower.trace(-1, tower.embed(tower.source(inputs), inputs), 1, inputs);
  const { attention, context, value } = blocks[3];
  const loss = sum(features);
  const [slopes, atContext] = grad(loss, [attention, context]);
  const [batch, tokens] = context.shape;
  const heads = transpose(reshape(slice(atContext, 1, 0, 1), [batch, 1, tower.heads, tower.width / tower.heads]), [0, 2, 1, 3]);
  expect(tokens).toBe(17);
  const products = squeeze(matmul(heads, value, { transB: true }), 2);
  await using graph = await compile(model.runtime, { products, row: squeeze(slice(slopes, 2, 0, 1), 2) });
  const out = (await graph.run(inputs)) as Record<string, FloatTensor>;
  const largest = Math.max(...out.row.data.map(Math.abs));
  expect(largest).toBeGreaterThan(0);
  expectClose(out.products.data, out.row.data, { rtol: 0, atol: 1e-5 * largest });
});

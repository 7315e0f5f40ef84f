import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors, readConfig } from '../../checkpoints/disk.ts';
import { readFloats } from '../../checkpoints/safetensors.ts';
import { writeSafetensors } from '../../checkpoints/write.ts';
import { directoryOf, expectNear, type Golden, golden } from '../../models/llava/testing/goldens.ts';
import { LlavaModel } from '../../models/pretrained.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { RandomStream } from '../../tensor/random.ts';
import { floats, ints, type Tensor } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { parseBottleneckConfig } from './config.ts';
import { bottleneckTensors } from './module.ts';
import { loadBottleneckLlava } from './pretrained.ts';

const runtime = nodeRuntime({ threads: 1 });
const TINY = directoryOf('llava-tiny');
let root: string;
let outputs: Golden;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-bottleneck-'));
  outputs = await golden('llava-tiny');
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** A checkpoint of llava-tiny with these settings; random weights of the bottleneck unless tensors are given. */
async function checkpoint(name: string, settings: object, tensors?: Record<string, Tensor>): Promise<string> {
  const directory = join(root, name);
  await mkdir(directory);
  const config = { ...((await readConfig(TINY)) as object), bottleneck_config: settings };
  await writeFile(join(directory, 'config.json'), JSON.stringify(config));
  await copyFile(join(TINY, 'model.safetensors'), join(directory, 'model.safetensors'));
  const random = (key: string, shape: number[]): Tensor => {
    const data = new RandomStream(2, key).normals(0, 0, new Float32Array(shape.reduce((a, b) => a * b)));
    return floats(
      shape,
      data.map(v => v * (shape.length > 1 ? 0.15 : 0.1)),
    );
  };
  const made =
    tensors ??
    Object.fromEntries(
      [...bottleneckTensors(parseBottleneckConfig(settings, 'test'), 48)].map(([key, v]) => [key, random(key, v.shape as number[])]),
    );
  await writeSafetensors(join(directory, 'bottleneck.safetensors'), made);
  return directory;
}

const batch = async () => ({
  inputIds: await outputs.raw('input_ids'),
  attentionMask: await outputs.raw('attention_mask'),
  pixelValues: await outputs.floats('pixel_values'),
});

describe('loadBottleneckLlava', () => {
  it("equals PyTorch's evaluation through the bottleneck", async () => {
    const { tensors } = await openSafetensors(`${TINY}/vittle-start.safetensors`);
    const weights: Record<string, Tensor> = {};
    for (const [name, entry] of tensors) {
      if (name.includes('prior')) continue;
      const ours = name.replace('bottleneck_v', 'bottleneck.2.visual').replace('bottleneck_t', 'bottleneck.2.text');
      weights[ours] = floats(entry.shape, await readFloats(entry));
    }
    const directory = await checkpoint('golden', { bottleneck_layers: [2], alpha_inference: 0.3 }, weights);
    await using model = await loadBottleneckLlava(directory, { runtime });
    const vittle = await openSafetensors(fileURLToPath(new URL('testdata/vittle.safetensors', import.meta.url)));
    const entry = vittle.tensors.get('logits.eval')!;
    const feeds = await batch();
    const out = await model.forward(feeds);
    expectNear(out.logits, floats(entry.shape, await readFloats(entry)), 1e-5, 'logits.eval');
    expect((await model.forward(feeds)).logits.data).toEqual(out.logits.data);
  });

  it.each([
    { bottleneck_layers: [-1, 1, 3], prior: 'learnable' },
    { bottleneck_layers: [0], index_split: true, alpha_end: 0.9 },
    { bottleneck_layers: [2], modalities: ['text'] },
    { bottleneck_layers: [2], bottleneck_init: 'pass', stream_scale: [{ visual: 3, text: 0.5 }] },
    { bottleneck_layers: [1], control: 'deterministic' },
  ])('decodes over a cache as it reads the whole text, %j', async settings => {
    const directory = await checkpoint(`cache ${JSON.stringify(settings)}`.replace(/\W+/g, '-'), settings);
    await using model = await loadBottleneckLlava(directory, { runtime });
    await using plain = await LlavaModel.fromPretrained(directory, { runtime, tap: (_, hidden) => hidden });
    const pixelValues = await outputs.floats('pixel_values');
    const one = floats([1, ...pixelValues.shape.slice(1)], pixelValues.data.subarray(0, pixelValues.data.length / 2));
    const prompt = Array.from((await outputs.raw('generate.prompt')).data, Number);
    // A conversation with an image and a shorter one of text, side by side.
    const rows = [{ ids: prompt, pixelValues: one }, { ids: [1, 40, 41, 42, 43, 44, 45] }];
    const decoding = await model.start(rows);
    const next = [
      [50, 51, 52],
      [60, 61, 62],
    ];
    const width = decoding.logits.shape[1];
    for (let step = 0; ; step++) {
      const logits = Array.from(decoding.logits.data);
      for (const [b, row] of rows.entries()) {
        const ids = [...row.ids, ...next[b].slice(0, step)];
        const whole = (m: LlavaModel) => m.forward({ inputIds: ints([1, ids.length], ids), pixelValues: row.pixelValues });
        const last = (await whole(model)).logits.data.slice(-width);
        expectClose(logits.slice(b * width, (b + 1) * width), last, { rtol: 1e-4, atol: 1e-4, label: `row ${b} step ${step}` });
        if (step === 0) expect(last).not.toEqual((await whole(plain)).logits.data.slice(-width));
      }
      if (step === 3) break;
      await decoding.step(next.map(row => row[step]));
    }
  });

  it('is plain LLaVA to the bit at α = 0, in a forward pass and in decoding', async () => {
    const directory = await checkpoint('zero', { bottleneck_layers: [1, 3], alpha_end: 0 });
    await using model = await loadBottleneckLlava(directory, { runtime });
    await using plain = await LlavaModel.fromPretrained(TINY, { runtime });
    const feeds = await batch();
    expect((await model.forward(feeds)).logits.data).toEqual((await plain.forward(feeds)).logits.data);
    const prompts = [{ ids: [1, 40, 41, 42] }];
    const [a, b] = [await model.start(prompts), await plain.start(prompts)];
    expect((await a.step([50])).data).toEqual((await b.step([50])).data);
    await using other = await loadBottleneckLlava(directory, { runtime, alpha: 0.5 });
    expect((await other.forward(feeds)).logits.data).not.toEqual((await plain.forward(feeds)).logits.data);
  });

  it('opens plain LLaVAs as they are', async () => {
    await using model = await loadBottleneckLlava(TINY, { runtime });
    expectNear((await model.forward(await batch())).logits, await outputs.floats('logits'), 1e-5, 'logits');
  });

  it('refuses what does not belong together in one sentence', async () => {
    const settings = { bottleneck_layers: [2] };
    const refuses = async (directory: string, message: string, options = {}): Promise<void> => {
      const error = await loadBottleneckLlava(directory, { runtime, ...options }).catch(e => e);
      expect(error.name).toBe('NarrowsError');
      expect(error.message).toContain(message);
      expect(error.message).not.toContain('\n');
    };
    await refuses(await rewritten('outside', settings, { bottleneck_layers: [4] }), 'block 4, but the decoder has 4');
    const gone = await checkpoint('gone', settings);
    await rm(join(gone, 'bottleneck.safetensors'));
    await refuses(gone, 'there is no');
    await refuses(await rewritten('missing', { ...settings, modalities: ['visual'] }, settings), 'lacks 4 tensors');
    const wrong = await checkpoint(
      'wrong',
      settings,
      Object.fromEntries(
        [...bottleneckTensors(parseBottleneckConfig(settings, 'test'), 32)].map(([k, v]) => [
          k,
          floats(v.shape as number[], new Float32Array((v.shape as number[]).reduce((a, b) => a * b))),
        ]),
      ),
    );
    await refuses(wrong, 'has shape [32, 32], but config.json asks for [48, 48]');
    await refuses(gone, 'alpha must lie between 0 and 1', { alpha: 2 });
  });
});

/** A checkpoint whose config.json then gets other settings. */
async function rewritten(name: string, before: object, after: object): Promise<string> {
  const directory = await checkpoint(name, before);
  const config = { ...((await readConfig(TINY)) as object), bottleneck_config: after };
  await writeFile(join(directory, 'config.json'), JSON.stringify(config));
  return directory;
}

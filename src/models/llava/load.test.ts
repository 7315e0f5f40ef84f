import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../runtime/node.ts';
import { NarrowsError } from '../../system/errors.ts';
import { floats, ints } from '../../tensor/tensor.ts';
import { LlavaModel } from '../pretrained.ts';
import type { LlavaPrompt } from './decoding.ts';
import { imageTokenText } from './files.ts';
import { expandImageTokens, MODALITY, placeImages } from './placement.ts';
import { directoryOf, golden } from './testing/goldens.ts';

const runtime = nodeRuntime({ threads: 1 });
let folder: string;
let model: LlavaModel;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'llava-'));
  model = await LlavaModel.fromPretrained(directoryOf('qwen2-tied'), { runtime });
});
afterAll(async () => {
  await model.release();
  await rm(folder, { recursive: true });
});

interface Json {
  [key: string]: unknown;
  text_config: Record<string, unknown>;
  vision_config: Record<string, unknown>;
}
let copies = 0;
/** A copy of a tiny model with another config. */
async function changed(name: string, change: (config: Json) => void): Promise<string> {
  const to = join(folder, String(copies++));
  await cp(directoryOf(name), to, { recursive: true });
  const config = JSON.parse(await readFile(join(to, 'config.json'), 'utf8')) as Json;
  change(config);
  await writeFile(join(to, 'config.json'), JSON.stringify(config));
  return to;
}
async function expectRefused(directory: string, message: RegExp, options: { availableMemory?: number } = {}): Promise<void> {
  const load = LlavaModel.fromPretrained(directory, { runtime, ...options });
  await expect(load).rejects.toThrow(NarrowsError);
  await expect(load).rejects.toThrow(message);
}

const IMAGE = 59;
const image = (n: number) => floats([n, 3, 12, 12], new Float32Array(n * 432));
const ids = (...row: number[]) => ints([1, row.length], row);

describe('loading', () => {
  it('says which part does not fit: tower and projector, projector and decoder, anything else', async () => {
    const widened = await changed('llava-tiny', c => Object.assign(c.vision_config, { hidden_size: 40, num_attention_heads: 4 }));
    await expectRefused(widened, /The projector of .* takes features of width 32, but its vision tower gives 40 .* do not belong together/);
    const layers = await changed('llava-tiny', c => Object.assign(c, { vision_feature_layer: [-2, -1] }));
    await expectRefused(layers, /features of width 32, but its vision tower gives 64/);
    const decoder = await changed('llava-tiny', c => Object.assign(c.text_config, { hidden_size: 96 }));
    await expectRefused(decoder, /gives features of width 48, but its decoder takes 96 \(text_config.hidden_size\)/);
    const deeper = await changed('llava-tiny', c => Object.assign(c.text_config, { num_hidden_layers: 5 }));
    await expectRefused(deeper, /lacks 9 tensors \(model.language_model.layers.4/);
    const biased = await changed('llava-tiny', c => Object.assign(c.text_config, { attention_bias: true }));
    await expectRefused(biased, /lacks 16 tensors/);
  });

  it('says how much memory is missing before anything is loaded', async () => {
    await expectRefused(
      directoryOf('llama-linear-bf16'),
      /needs 300\.\d MB of memory \(its weights as float32 take \d+\.\d kB\), but 100\.0 MB are free: 200\.\d MB are missing/,
      { availableMemory: 100e6 },
    );
    await using loaded = await LlavaModel.fromPretrained(directoryOf('llama-linear-bf16'), { runtime, availableMemory: 301e6 });
    expect(loaded.parts.layout).toBe('old');
  });

  it('reads both layouts, and names what it does not read', async () => {
    await using newer = await LlavaModel.fromPretrained(directoryOf('llama3-new-names'), { runtime });
    expect(newer.parts.layout).toBe('new');
    expect(newer.parts.report.missing).toEqual([]);
    // The last block and the last norm of the tower stand behind the features.
    expect(newer.parts.report.unexpected).toContain('model.vision_tower.vision_model.post_layernorm.weight');
  });

  it('refuses a tokenizer without the image token', () => {
    const tokenizer = (texts: Record<number, string>) => ({ textOf: (id: number) => texts[id] });
    expect(imageTokenText(tokenizer({ 59: '<image>' }), model.config, 'DIR')).toBe('<image>');
    expect(() => imageTokenText(tokenizer({}), model.config, 'DIR')).toThrow(
      'The tokenizer of DIR has no token 59, which config.json names as image_token_index; add <image> to it with that id.',
    );
  });
});

describe('images and their tokens', () => {
  it.each<[string, number[], number, string]>([
    [
      'no image for a token',
      [1, 59, 59, 59, 59, 3],
      0,
      'The text has 1 <image> token, but no images were given; give an image for each <image>.',
    ],
    [
      'no token for an image',
      [1, 3],
      2,
      'The text has no <image> tokens, but 2 images were given; write <image> in the text where each image belongs.',
    ],
    [
      'an image cut short',
      [1, 59, 59, 59, 3],
      1,
      'Conversation 1 of the batch has 3 image tokens, which is no multiple of the 4 that one image takes; write each <image> as 4 tokens.',
    ],
    ['a foreign id', [1, 60], 0, 'The token id 60 lies outside of the vocabulary of 60; tokenizer and model do not belong together.'],
  ])('%s gets one sentence', async (_, row, count, sentence) => {
    const forward = model.forward({ inputIds: ids(...row), ...(count ? { pixelValues: image(count) } : {}) });
    await expect(forward).rejects.toThrow(new NarrowsError(sentence));
    const prompt: LlavaPrompt = { ids: row, ...(count ? { pixelValues: image(count) } : {}) };
    await expect(model.start([prompt])).rejects.toThrow(new NarrowsError(sentence));
  });

  it('must fit each conversation of a batch, not only their sum', async () => {
    const swapped = [{ ids: [1, 59, 59, 59, 59] }, { ids: [1, 3], pixelValues: image(1) }];
    await expect(model.start(swapped)).rejects.toThrow('The text has 1 <image> token, but no images were given');
    await expect(model.start([{ ids: [1] }, { ids: [] }])).rejects.toThrow('Prompt 2 has no tokens');
  });

  it('must have the size of the tower', async () => {
    const small = floats([1, 3, 6, 6], new Float32Array(108));
    await expect(model.imageFeatures(small)).rejects.toThrow(
      'Images of shape [1, 3, 6, 6] were given, but the vision tower takes [images, 3, 12, 12]',
    );
  });

  it('are placed in reading order, with positions as transformers counts them', () => {
    expect(expandImageTokens(model.config, [1, IMAGE, 3])).toEqual([1, 59, 59, 59, 59, 3]);
    const rows = [
      [0, 0, 1, 59, 59, 59, 59, 3],
      [1, 59, 59, 59, 59, 3, 59, 59],
      [1, 0, 4, 0, 5, 6, 7, 8],
    ];
    const mask = [
      [0, 0, 1, 1, 1, 1, 1, 1],
      [1, 1, 1, 1, 1, 1, 0, 0],
      [1, 0, 1, 0, 1, 1, 1, 1],
    ];
    const placed = placeImages(model.config, ints([3, 8], rows.flat()), 2, ints([3, 8], mask.flat()));
    const { padding, text, image } = MODALITY;
    expect([...placed.modality.data]).toEqual([
      ...[padding, padding, text, image, image, image, image, text],
      ...[text, image, image, image, image, text, padding, padding],
      ...[text, padding, text, padding, text, text, text, text],
    ]);
    expect([...placed.imageRows.data]).toEqual([0, 0, 0, 0, 1, 2, 3, 0, 0, 4, 5, 6, 7, 0, 0, 0, ...Array(8).fill(0)]);
    expect([...placed.positions.data]).toEqual([1, 1, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 1, 1, 2, 3, 4, 5]);
    expect([...placed.ids.data].includes(IMAGE)).toBe(false);
  });

  it('take 64-bit ids and masks too', async () => {
    const g = await golden('qwen2-tied');
    const wide = (t: { shape: readonly number[]; data: ArrayLike<number | bigint> }) =>
      ({ dtype: 'int64', shape: t.shape, data: BigInt64Array.from(Array.from(t.data, BigInt)) }) as const;
    const [narrow, mask, pixelValues] = [
      await g.raw('right.input_ids'),
      await g.raw('right.attention_mask'),
      await g.floats('pixel_values'),
    ];
    const a = await model.forward({ inputIds: narrow, attentionMask: mask, pixelValues });
    const b = await model.forward({ inputIds: wide(narrow), attentionMask: wide(mask), pixelValues });
    expect(b.logits.data).toEqual(a.logits.data);
  });
});

/** @file SigLIP as a whole: loading, texts, images, logits, saving. */

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readFloats, readTensor } from '../../checkpoints/safetensors.ts';
import { diskFiles } from '../../node/disk-files.ts';
import { type FloatTensor, floats, ints, type Tensor } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { SiglipModel } from '../pretrained.ts';
import { savePretrained } from '../save-pretrained.ts';
import { parseSiglipConfig } from './config.ts';
import { siglipTokenizer } from './tokenizer.ts';

const testdata = (name: string): string => fileURLToPath(new URL(`testdata/${name}`, import.meta.url));
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-siglip-'));
});
afterAll(() => rm(root, { recursive: true }));

/** Tensors of a golden file. */
async function goldens(name: string, file: string): Promise<{ floats(n: string): Promise<FloatTensor>; ids(n: string): Promise<Tensor> }> {
  const { tensors } = await openSafetensors(join(testdata(name), `${file}.safetensors`));
  return {
    floats: async n => floats(tensors.get(n)!.shape, await readFloats(tensors.get(n)!)),
    ids: n => readTensor(tensors.get(n)!),
  };
}

describe.each(['siglip-tiny', 'siglip-tiny-b'])('%s', name => {
  it('fits its checkpoint, and gives the embeddings and logits of PyTorch', async () => {
    await using model = await SiglipModel.fromPretrained(testdata(name));
    expect(model.report).toEqual({ missing: [], unexpected: [], misshaped: [] });
    const golden = await goldens(name, 'outputs');
    const feeds = { pixelValues: await golden.floats('pixel_values'), inputIds: await golden.ids('input_ids') };
    const out = await model.forward(feeds, { hiddenStates: true, attentions: true });
    for (const [ours, theirs] of [
      [out.imageEmbeds, 'image_embeds'],
      [out.textEmbeds, 'text_embeds'],
      [out.logitsPerImage, 'logits_per_image'],
      [out.visionHiddenStates!.at(-1)!, `vision.hidden_states.${model.image.layers}`],
      [out.textHiddenStates![1], 'text.hidden_states.1'],
    ] as const)
      expectClose(ours.data, (await golden.floats(theirs)).data, { rtol: 1e-5, atol: 3e-5, label: theirs });
    expect(out.textAttentions).toHaveLength(model.text.layers);
    // Cosine times scale plus bias.
    const row = (t: FloatTensor): Float32Array => t.data.subarray(0, 32);
    const cosine = row(out.imageEmbeds).reduce((sum, v, i) => sum + v * row(out.textEmbeds)[i], 0);
    const bias = name === 'siglip-tiny' ? -3 : -4;
    expect(await model.logitScale()).toBeCloseTo(Math.exp(name === 'siglip-tiny' ? 2 : 1.7), 5);
    expect(out.logitsPerImage.data[0]).toBeCloseTo((await model.logitScale()) * cosine + bias, 5);
  });

  it('is the same, to the bit, once saved', async () => {
    const directory = join(root, `saved-${name}`);
    await using model = await SiglipModel.fromPretrained(testdata(name));
    await savePretrained(model, directory);
    await using again = await SiglipModel.fromPretrained(directory);
    expect(await again.sha256()).toBe(await model.sha256());
    expect(again.config).toEqual(model.config);
    const ids = ints([1, 3], [5, 7, 1]);
    expect(await again.textFeatures(ids)).toEqual(await model.textFeatures(ids));
  });
});

describe('texts', () => {
  it('are cut, padded and encoded as in Python', async () => {
    await using model = await SiglipModel.fromPretrained(testdata('siglip-tiny-b'));
    const captions = JSON.parse(await readFile(join(testdata('siglip-tiny-b'), 'captions.json'), 'utf8')) as {
      text: string;
      ids: number[];
    }[];
    expect(model.maxTextLength).toBe(12);
    const batch = model.requireTokenizer().encodeBatch(
      captions.map(c => c.text),
      { maxLength: model.maxTextLength },
    );
    const { input_ids: padded } = model.textInputs(batch.inputIds, batch.attentionMask);
    expect([...padded.data]).toEqual(captions.flatMap(c => c.ids));
    const features = await model.textFeatures(batch.inputIds, batch.attentionMask);
    const expected = await (await goldens('siglip-tiny-b', 'inside')).floats('captions.features');
    expectClose(features.data, expected.data, { atol: 1e-5 });
  });

  it('are filled up to the longest length, and what the mask hides is padding', async () => {
    await using model = await SiglipModel.fromPretrained(testdata('siglip-tiny'));
    expect(model.padId).toBe(1);
    const { input_ids } = model.textInputs(ints([2, 3], [7, 8, 1, 9, 1, 77]), ints([2, 3], [1, 1, 1, 1, 1, 0]));
    expect(input_ids.shape).toEqual([2, 12]);
    expect([...input_ids.data]).toEqual([7, 8, ...Array(10).fill(1), 9, ...Array(11).fill(1)]);
    expect(() => model.textInputs(ints([1, 13], new Int32Array(13)))).toThrow('A text of 13 tokens is longer than the 12');
    expect(() => model.textInputs(ints([1, 1], [90]))).toThrow('The token id 90 is outside of');
    expect(() => model.requireTokenizer()).toThrow('tokenizer.json is missing');
  });

  it('are lower-cased for SigLIP 2, whose file leaves that to the caller; offsets stay', async () => {
    const directory = join(root, 'siglip2');
    await cp(testdata('siglip-tiny-b'), directory, { recursive: true });
    const path = join(directory, 'tokenizer.json');
    const json = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify({ ...json, normalizer: null }));
    const text = 'A Red DOG';
    const encoded = (await siglipTokenizer(diskFiles(directory))).encode(text);
    expect(encoded.ids).toContain(2);
    await writeFile(join(directory, 'tokenizer_config.json'), JSON.stringify({ tokenizer_class: 'GemmaTokenizer', pad_token: '<pad>' }));
    const tokenizer = await siglipTokenizer(diskFiles(directory));
    expect(tokenizer.encode(text).ids).toEqual(tokenizer.encode('a red dog').ids);
    expect(tokenizer.encode(text).ids).not.toContain(2);
    const last = tokenizer.encode(text).tokens.at(-2)!;
    expect(text.slice(last.start, last.end)).toBe(' DOG');
    // Its own padding, not the config's default.
    await using model = await SiglipModel.fromPretrained(directory);
    expect(model.padId).toBe(0);
  });
});

describe('images', () => {
  it('are stretched to the square that the config names where there is no preprocessor file', async () => {
    await using model = await SiglipModel.fromPretrained(testdata('siglip-tiny'));
    expect(model.processor.config).toMatchObject({
      size: { height: 32, width: 32 },
      do_center_crop: false,
      resample: 3,
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.5, 0.5, 0.5],
    });
    const white = model.processor.process({ width: 5, height: 3, data: new Uint8Array(45).fill(255) });
    expect(white.pixelValues.shape).toEqual([3, 32, 32]);
    expect(white.pixelValues.data.every(v => v === 1)).toBe(true);
  });

  it('of another size take interpolated positions', async () => {
    await using model = await SiglipModel.fromPretrained(testdata('siglip-tiny-b'));
    const golden = await goldens('siglip-tiny-b', 'outputs');
    const { data } = await model.imageFeatures(await golden.floats('interpolated_wide.pixel_values'));
    const length = Math.hypot(...data);
    expectClose(
      data.map(v => v / length),
      (await golden.floats('interpolated_wide.image_embeds')).data,
      { atol: 1e-6, rtol: 1e-5 },
    );
    await expect(model.imageFeatures(floats([1, 3, 4, 42], new Float32Array(504)))).rejects.toThrow('smaller than one patch of 8');
  });
});

describe('configs', () => {
  it("take transformers' defaults", () => {
    const { text_config: text, vision_config: vision } = parseSiglipConfig({ model_type: 'siglip' });
    expect(text).toMatchObject({ vocab_size: 32000, hidden_size: 768, max_position_embeddings: 64, layer_norm_eps: 1e-6, pad_token_id: 1 });
    expect(vision).toMatchObject({ image_size: 224, patch_size: 16, hidden_act: 'gelu_pytorch_tanh', vision_use_head: true });
  });

  it.each([
    [{ model_type: 'clip' }, 'here: the key "model_type" is wrong'],
    [{ model_type: 'siglip', vision_config: { vision_use_head: false } }, 'without its pooling head a SigLIP has no image embedding'],
    [{ model_type: 'siglip', vision_config: { hidden_size: 1152 } }, 'projection_size 768 is not vision_config.hidden_size 1152'],
    [
      { model_type: 'siglip', text_config: { num_attention_heads: 7 } },
      'text_config.hidden_size 768 is not a multiple of num_attention_heads 7',
    ],
    [{ model_type: 'siglip', vision_config: { hidden_act: 'wavy' } }, 'the key "vision_config.hidden_act" is wrong'],
  ])('%j is refused in one sentence', (json, message) => {
    expect(() => parseSiglipConfig(json, 'here')).toThrow(message);
  });
});

/** @file What is converted opens and computes what it did before: an original LLaVA made backwards from llava-tiny, and PEFT's adapter. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../checkpoints/disk.ts';
import { readTensor } from '../../checkpoints/safetensors.ts';
import { writeSafetensors } from '../../checkpoints/write.ts';
import { Tokenizer } from '../../inputs/text/tokenizer.ts';
import { inMemoryEntries } from '../../models/llava/layout.ts';
import { directoryOf, expectNear, golden } from '../../models/llava/testing/goldens.ts';
import { LlavaModel } from '../../models/pretrained.ts';
import { type FloatTensor, floats, ints, type Tensor } from '../../tensor/tensor.ts';
import { convertModel } from './convert.ts';
import { tinyTokenizer, writeTinyLlava } from './testing/tiny-llava.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-convert-'));
});
afterAll(() => rm(root, { recursive: true }));

/** The original code's names for tensors in memory. */
const original = (name: string): string =>
  name
    .replace(/^model\.language_model\./, 'model.')
    .replace(/^model\.multi_modal_projector\.linear_(\d)\./, (_, n) => `model.mm_projector.${n === '1' ? 0 : 2}.`);

/** llava-tiny as the original code stores it, without `<image>`: its tower apart, its vocabulary one token shorter. */
async function writeOriginal(name: string, change: Record<string, unknown> = {}): Promise<{ directory: string; tower: string }> {
  const [directory, tower] = [join(root, name), join(root, `${name}-tower`)];
  for (const path of [directory, tower]) await mkdir(path);
  const json = JSON.parse(await readFile(join(directoryOf('llava-tiny'), 'config.json'), 'utf8'));
  const { entries } = inMemoryEntries((await openCheckpoint(directoryOf('llava-tiny'))).entries);
  const [language, eyes]: [Map<string, Tensor>, Map<string, Tensor>] = [new Map(), new Map()];
  for (const [key, entry] of entries) {
    const tensor = await readTensor(entry);
    if (key.startsWith('model.vision_tower.')) eyes.set(key.slice('model.vision_tower.'.length), tensor);
    else if (/embed_tokens|lm_head/.test(key)) {
      const [rows, width] = tensor.shape;
      language.set(original(key), floats([rows - 1, width], (tensor.data as Float32Array).slice(0, (rows - 1) * width)));
    } else language.set(original(key), tensor);
  }
  await writeSafetensors(join(directory, 'model.safetensors'), language, { format: 'pt' });
  await writeSafetensors(join(tower, 'model.safetensors'), eyes, { format: 'pt' });
  await writeFile(join(tower, 'config.json'), JSON.stringify(json.vision_config));
  await writeFile(
    join(tower, 'preprocessor_config.json'),
    JSON.stringify({ image_processor_type: 'CLIPImageProcessor', size: 31, crop_size: 28 }),
  );
  const flat = {
    ...json.text_config,
    vocab_size: 119,
    model_type: 'llava_llama',
    architectures: ['LlavaLlamaForCausalLM'],
    image_aspect_ratio: 'pad',
    mm_hidden_size: 32,
    mm_projector_type: 'mlp2x_gelu',
    mm_use_im_start_end: false,
    mm_vision_select_feature: 'patch',
    mm_vision_select_layer: -2,
    mm_vision_tower: tower,
    ...change,
  };
  await writeFile(join(directory, 'config.json'), JSON.stringify(flat));
  await writeFile(join(directory, 'tokenizer.json'), JSON.stringify(tinyTokenizer('')));
  const names = { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>' };
  await writeFile(join(directory, 'tokenizer_config.json'), JSON.stringify({ tokenizer_class: 'LlamaTokenizer', ...names }));
  return { directory, tower };
}

describe('an original LLaVA', () => {
  it('has the same logits, image rules and words afterwards', async () => {
    const { directory } = await writeOriginal('whole');
    const output = join(root, 'converted');
    const warnings: string[] = [];
    expect(await convertModel({ directory, output, onWarning: w => warnings.push(w) })).toContain('the vision tower of');
    expect(warnings).toEqual([]);

    const sentences: string[] = [];
    await using converted = await LlavaModel.fromPretrained(output, { onWarning: w => sentences.push(w) });
    expect(sentences).toEqual([]);
    await using tiny = await LlavaModel.fromPretrained(directoryOf('llava-tiny'));
    expect(converted.config.image_token_index).toBe(119);
    expect(converted.config.text_config.vocab_size).toBe(121);
    const pixels = floats(
      [1, 3, 28, 28],
      Float32Array.from({ length: 3 * 784 }, (_, i) => Math.sin(i)),
    );
    const ids = ints([1, 20], Int32Array.from([1, 7, 9, ...Array(16).fill(119), 11]));
    const [a, b] = await Promise.all([converted, tiny].map(m => m.forward({ inputIds: ids, pixelValues: pixels })));
    const known = ({ data, shape }: FloatTensor): FloatTensor =>
      floats(
        [20, 119],
        Float32Array.from({ length: 20 * 119 }, (_, i) => data[Math.floor(i / 119) * shape[2] + (i % 119)]),
      );
    expectNear(known(a.logits), known(b.logits), 1e-5, 'logits');

    const tokenizer = converted.parts.tokenizer as Tokenizer;
    expect(tokenizer).toBeInstanceOf(Tokenizer);
    expect([119, 120].map(id => tokenizer.textOf(id))).toEqual(['<image>', '<pad>']);
    expect(converted.parts.processor.config).toMatchObject({ size: { shortest_edge: 31 }, crop_size: { height: 28, width: 28 } });
    const json = JSON.parse(await readFile(join(output, 'config.json'), 'utf8'));
    expect(json).toMatchObject({
      model_type: 'llava',
      image_aspect_ratio: 'pad',
      vision_feature_layer: -2,
      vision_feature_select_strategy: 'default',
    });
    expect(Object.keys(json.text_config).filter(key => key.startsWith('mm_'))).toEqual([]);
  });

  it('is named as such by everything that opens models, with the command', async () => {
    const { directory, tower } = await writeOriginal('asked', { model_type: 'llava' });
    await expect(LlavaModel.fromPretrained(directory)).rejects.toThrow('narrows models convert DIRECTORY --vision-tower TOWER');
    // The command that it names does it.
    await convertModel({ directory, visionTower: tower, output: join(root, 'asked-converted') });
    await (await LlavaModel.fromPretrained(join(root, 'asked-converted'))).release();
  });

  it.each([
    [{ mm_projector_type: 'linear' }, 'mm_projector_type is "linear"; LLaVAs with mlp2x_gelu can be converted'],
    [{ mm_use_im_start_end: true }, 'mm_use_im_start_end is true'],
    [{ hidden_size: 44 }, 'decoder'],
  ])('%j is refused', async (change, message) => {
    const { directory } = await writeOriginal(`bad-${Object.keys(change)[0]}`, change);
    await expect(convertModel({ directory, output: join(root, 'none') })).rejects.toThrow(message);
  });
});

describe('an adapter', () => {
  it('becomes a model that computes what PEFT does, with no adapter file next to it', async () => {
    const base = await writeTinyLlava(join(root, 'base'));
    const directory = join(root, 'adapter');
    await cp(directoryOf('peft-tiny'), directory, { recursive: true });
    await rm(join(directory, 'outputs.safetensors'));
    const output = join(root, 'merged');
    await expect(LlavaModel.fromPretrained(directory)).rejects.toThrow(
      `${directory} is a LoRA adapter of llava-tiny and no model; merge it into that model with: narrows models convert ${directory} --output MERGED`,
    );
    await convertModel({ directory, output, base });
    expect((await readdir(output)).filter(name => /adapter/.test(name))).toEqual([]);
    await using model = await LlavaModel.fromPretrained(output);
    const inputs = await golden('llava-tiny');
    const [inputIds, attentionMask] = await Promise.all([inputs.raw('input_ids'), inputs.raw('attention_mask')]);
    const { logits } = await model.forward({ inputIds, attentionMask, pixelValues: await inputs.floats('pixel_values') });
    expectNear(logits, await (await golden('peft-tiny')).floats('logits'), 1e-4, 'logits', attentionMask.data as Int32Array);
  });
});

it('anything else is refused', async () => {
  await expect(convertModel({ directory: directoryOf('llava-tiny'), output: join(root, 'none') })).rejects.toThrow(
    'is neither an original LLaVA',
  );
});

import { cp, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint, openSafetensors } from '../../checkpoints/disk.ts';
import { readFloats, readTensor } from '../../checkpoints/safetensors.ts';
import { writeSafetensors } from '../../checkpoints/write.ts';
import { NarrowsError } from '../../system/errors.ts';
import { floats, ints, type Tensor } from '../../tensor/tensor.ts';
import { CLIPModel } from '../pretrained.ts';
import { savePretrained } from '../save-pretrained.ts';

const testdata = (name: string): string => fileURLToPath(new URL(`../testdata/${name}`, import.meta.url));
let root: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-clip-'));
});
afterAll(() => rm(root, { recursive: true }));

/** A copy of clip-tiny whose tensors and config are changed. */
async function changed(
  change: (tensors: Map<string, Tensor>, config: Record<string, Record<string, unknown>>) => void = () => {},
): Promise<string> {
  const directory = join(root, `copy${count++}`);
  await cp(testdata('clip-tiny'), directory, { recursive: true });
  const path = join(directory, 'model.safetensors');
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of (await openSafetensors(path)).tensors) tensors.set(name, await readTensor(entry));
  const config = JSON.parse(await readFile(join(directory, 'config.json'), 'utf8'));
  change(tensors, config);
  await writeSafetensors(path, tensors, { format: 'pt' });
  await writeFile(join(directory, 'config.json'), JSON.stringify(config));
  return directory;
}

/** The same with files beside that are changed, and what the loading says. */
async function loaded(directory: string): Promise<{ model: CLIPModel; warnings: string[] }> {
  const warnings: string[] = [];
  const model = await CLIPModel.fromPretrained(directory, { onWarning: w => warnings.push(w) });
  expect(model.warnings).toEqual(warnings);
  return { model, warnings };
}

async function refusal(directory: string): Promise<string> {
  const error = await CLIPModel.fromPretrained(directory).then(
    () => expect.fail('loaded'),
    e => e,
  );
  expect(error).toBeInstanceOf(NarrowsError);
  return error.message;
}

describe('fromPretrained', () => {
  it('reports a perfect fit for each tiny checkpoint', async () => {
    for (const name of ['clip-tiny', 'clip-tiny-b', 'clip-tiny-fp16', 'clip-tiny-sharded-bf16']) {
      await using model = await CLIPModel.fromPretrained(testdata(name));
      expect(model.report).toEqual({ missing: [], unexpected: [], misshaped: [] });
      expect(model.name).toBe(name);
    }
  });

  it('loads with tensors that it does not know, and lists them; the old position_ids are no matter', async () => {
    const directory = await changed(tensors => {
      tensors.set('vision_model.encoder.layers.4.mlp.fc1.bias', floats([64], new Float32Array(64)));
      tensors.set('text_model.embeddings.position_ids', ints([1, 16], new Int32Array(16)));
    });
    await using model = await CLIPModel.fromPretrained(directory);
    expect(model.report.unexpected).toEqual(['vision_model.encoder.layers.4.mlp.fc1.bias']);
  });

  it.each<[string, Parameters<typeof changed>[0], string]>([
    [
      'one missing tensor',
      t => t.delete('visual_projection.weight'),
      'lacks 1 tensor (visual_projection.weight); the file is incomplete or of another architecture.',
    ],
    [
      'many missing tensors',
      t => {
        for (const name of [...t.keys()]) if (name.startsWith('text_model.encoder.layers.2.')) t.delete(name);
      },
      'lacks 16 tensors (',
    ],
    [
      'a tensor of another shape',
      t => t.set('logit_scale', floats([2], [2.6, 1])),
      'The tensor "logit_scale" of DIR has shape [2], but config.json asks for []; the weights and the config do not belong together.',
    ],
    [
      'a config of another width',
      (_, config) => {
        config.vision_config.intermediate_size = 96;
      },
      'has shape [64, 32], but config.json asks for [96, 32] (and ',
    ],
    [
      'a config with more blocks than the file',
      (_, config) => {
        config.text_config.num_hidden_layers = 5;
      },
      'lacks 32 tensors (',
    ],
    [
      'a config that is wrong',
      (_, config) => {
        config.text_config.hidden_act = 'wavy' as never;
      },
      'config.json: the key "text_config.hidden_act" is wrong',
    ],
  ])('refuses %s in one sentence', async (_, change, message) => {
    const directory = await changed(change);
    const text = await refusal(directory);
    expect(text).toContain(message.replace('DIR', directory));
    expect(text).toContain(directory);
    expect(text).not.toContain('\n');
  });

  it('refuses a directory without config, and weights that are pickled', async () => {
    const directory = await changed();
    for (const name of ['model', 'outputs', 'm2ib', 'attributions']) await rm(join(directory, `${name}.safetensors`));
    await writeFile(join(directory, 'pytorch_model.bin'), 'no pickle');
    expect(await refusal(directory)).toMatch(/pytorch_model\.bin.* convert /);
    const other = await changed();
    await rm(join(other, 'config.json'));
    expect(await refusal(other)).toMatch(/has no config.json/);
  });

  it('names the tensor that holds NaN, instead of giving NaN', async () => {
    const directory = await changed(tensors => {
      (tensors.get('vision_model.encoder.layers.1.mlp.fc2.bias')!.data as Float32Array)[3] = Number.NaN;
    });
    await using model = await CLIPModel.fromPretrained(directory);
    await expect(model.imageFeatures(floats([1, 3, 32, 32], new Float32Array(3072)))).rejects.toThrow(
      /The tensor "vision_model.encoder.layers.1.mlp.fc2.bias" in .*model.safetensors has NaN or infinite values; the checkpoint is damaged/,
    );
    expect((await model.textFeatures(ints([1, 2], [94, 95]))).data.every(Number.isFinite)).toBe(true);
  });
});

describe('savePretrained', () => {
  it.each([
    ['clip-tiny', {}],
    ['clip-tiny-b', { maxShardBytes: 30_000 }],
    ['clip-tiny-fp16', {}],
    ['clip-tiny-sharded-bf16', {}],
  ])('%s: the saved model is the same, to the bit', async (name, options) => {
    const directory = join(root, `saved-${name}`);
    await using model = await CLIPModel.fromPretrained(testdata(name));
    await savePretrained(model, directory, options);
    await using again = await CLIPModel.fromPretrained(directory);
    expect(await again.sha256()).toBe(await model.sha256());
    expect(again.config).toEqual(model.config);
    const size = model.config.vision_config.image_size;
    const pixels = floats(
      [1, 3, size, size],
      Float32Array.from({ length: 3 * size * size }, (_, i) => Math.sin(i)),
    );
    expect(await again.imageFeatures(pixels)).toEqual(await model.imageFeatures(pixels));
    expect(await again.textFeatures(ints([1, 3], [1, 5, 7]))).toEqual(await model.textFeatures(ints([1, 3], [1, 5, 7])));
    const files = await readdir(directory);
    expect(files).toContain('preprocessor_config.json');
    expect(files.filter(f => f.endsWith('.safetensors')).length > 1).toBe('maxShardBytes' in options);
    expect(files.filter(f => f.endsWith('.tmp'))).toEqual([]);
  });
});

describe('weights stay in their file', () => {
  /** clip-tiny with a vocabulary whose embeddings are a hole in the file: 128 MB that nobody wrote. */
  const ROWS = (128 * 2 ** 20) / (24 * 4);
  const BYTES = Math.floor(ROWS) * 24 * 4;
  const NAME = 'text_model.embeddings.token_embedding.weight';

  async function withHole(): Promise<string> {
    const directory = await changed((tensors, config) => {
      tensors.delete(NAME);
      config.text_config.vocab_size = Math.floor(ROWS);
    });
    const path = join(directory, 'model.safetensors');
    const bytes = await readFile(path);
    const length = Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
    const data = bytes.subarray(8 + length);
    header[NAME] = { dtype: 'F32', shape: [Math.floor(ROWS), 24], data_offsets: [data.length, data.length + BYTES] };
    const text = Buffer.from(JSON.stringify(header));
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(text.length));
    const file = await open(path, 'w');
    await file.writeFile(Buffer.concat([size, text, data]));
    await file.truncate(8 + text.length + data.length + BYTES);
    await file.close();
    return directory;
  }

  it('nothing of them is copied into JavaScript, and what is not needed is not even read', async () => {
    const directory = await withHole();
    const before = process.memoryUsage();
    await using model = await CLIPModel.fromPretrained(directory);
    const { data } = await model.textFeatures(ints([1, 3], [94, Math.floor(ROWS) - 1, 95]));
    const after = process.memoryUsage();
    expect(data.every(Number.isFinite)).toBe(true);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(4 * 2 ** 20);
    expect(after.rss - before.rss).toBeLessThan(BYTES / 2);
    // The measure sees a tensor that is read.
    const floatsRead = await readFloats((await openCheckpoint(directory)).entries.get(NAME)!);
    expect(process.memoryUsage().arrayBuffers - after.arrayBuffers).toBeGreaterThanOrEqual(BYTES / 2);
    expect(floatsRead.length * 4).toBe(BYTES);
  });
});

describe('checkpoints as people have them', () => {
  const IDS = ints([1, 3], Int32Array.of(1, 5, 2));
  const features = async (directory: string): Promise<number[]> => {
    const { model } = await loaded(directory);
    await using _model = model;
    return [...(await model.textFeatures(IDS)).data];
  };

  it('sections of before 2023: text_config_dict and its defaults come first, null sections are empty', async () => {
    const plain = await features(await changed());
    const older = await changed((_, config) => {
      const { text_config: text, vision_config: vision } = config;
      Object.assign(config, { text_config: null, vision_config: null, text_config_dict: text, vision_config_dict: vision });
    });
    expect(await features(older)).toEqual(plain);
    // What stands in the dict wins; what it leaves out takes the default, not text_config's value.
    const both = await changed((_, config) => {
      const { hidden_act: _act, ...rest } = config.text_config;
      Object.assign(config, { text_config: { ...config.text_config, hidden_act: 'gelu', hidden_size: 9999 }, text_config_dict: rest });
    });
    const { model } = await loaded(both);
    await using _model = model;
    expect(model.config.text_config.hidden_act).toBe('quick_gelu');
    expect(model.config.text_config.hidden_size).not.toBe(9999);
    expect(model.config).not.toHaveProperty('text_config_dict');
    expect(await refusal(await changed((_, config) => Object.assign(config, { text_config_dict: [] })))).toContain(
      '"text_config_dict" must hold an object',
    );
  });

  it.each([
    ['clip.', [1], 0],
    ['module.', [1, 1], 1],
  ])('weights below %s, logit_scale of shape %j', async (prefix, shape, said) => {
    const directory = await changed(tensors => {
      const scale = tensors.get('logit_scale')!;
      tensors.set('logit_scale', { ...scale, shape });
      for (const [name, tensor] of [...tensors]) {
        tensors.delete(name);
        tensors.set(prefix + name, tensor);
      }
    });
    const { model, warnings } = await loaded(directory);
    await using _model = model;
    await using plain = await CLIPModel.fromPretrained(testdata('clip-tiny'));
    expect(warnings).toHaveLength(said);
    expect(await model.logitScale()).toBe(await plain.logitScale());
    expect([...(await model.textFeatures(IDS)).data]).toEqual([...(await plain.textFeatures(IDS)).data]);
    // What is saved has the plain names again.
    const saved = join(root, `saved${count++}`);
    await savePretrained(model, saved);
    expect([...(await openCheckpoint(saved)).entries.keys()].sort()).toEqual([...plain.checkpoint.entries.keys()].sort());
  });

  it('says which tensors it does not read', async () => {
    const { model, warnings } = await loaded(await changed(tensors => void tensors.set('logit_bias', floats([], new Float32Array(1)))));
    await using _model = model;
    expect(warnings).toEqual([expect.stringContaining('1 tensor of')]);
    expect(warnings[0]).toContain('(logit_bias)');
  });

  it('other than three channels, and any number of blocks, get one sentence at once', async () => {
    expect(await refusal(await changed((_, c) => void Object.assign(c.vision_config, { num_channels: 1 })))).toContain(
      'vision_config.num_channels is 1',
    );
    const started = performance.now();
    for (const section of ['text_config', 'vision_config'])
      expect(await refusal(await changed((_, c) => void Object.assign(c[section], { num_hidden_layers: 2 ** 31 - 1 })))).toContain(
        `2147483647 blocks (${section}.num_hidden_layers)`,
      );
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it('rules of another size are refused with the flag that asks for it, and hold in every way in', async () => {
    const directory = await changed();
    const size = 48;
    await writeFile(join(directory, 'preprocessor_config.json'), JSON.stringify({ size, crop_size: size }));
    const { model } = await loaded(directory);
    await using _model = model;
    const image = { width: 70, height: 50, data: new Uint8Array(10500) };
    expect(() => model.processor.process(image)).toThrow(/make 48 x 48 .* but the model takes \d+ x \d+; .*--image-size 48 /);
    expect(model.processor.process(image, { size }).pixelValues.shape).toEqual([3, size, size]);
  });
});

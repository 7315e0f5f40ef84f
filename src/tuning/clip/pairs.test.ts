import { appendFile, copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../checkpoints/disk.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import { stackImages } from '../../inputs/image/processor.ts';
import { Tokenizer } from '../../inputs/text/tokenizer.ts';
import type { TokenizerJson } from '../../inputs/text/tokenizer-files.ts';
import { CLIPModel } from '../../models/pretrained.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { writeScenes } from '../../scenes/dataset.ts';
import { NarrowsError } from '../../system/errors.ts';
import { formatNumber } from '../../system/format.ts';
import { RandomStream } from '../../tensor/random.ts';
import { type ClipTrainingArguments, checkClipArguments, clipTrainingSchema } from './arguments.ts';
import { captionGroups, PairBatches, type PairBatchSettings, PairReader } from './pair-batch.ts';
import { clipPairTask } from './pair-task.ts';
import { readTrainingPairs } from './pairs.ts';
import { pairSource } from './source.ts';
import { TINY } from './testdata/tiny.ts';
import { trainClip } from './train.ts';
import { frequentWords, wordTokenizerJson } from './word-tokenizer.ts';

let root: string;
/** 20 pairs, and 10 of them that begin with the same lines. */
let file: string;
let fewer: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-pairs-'));
  await writeScenes({ count: 20, outputDirectory: root, maxObjects: 2, styles: ['noto'], masks: false });
  file = join(root, 'scenes.jsonl');
  fewer = join(root, 'fewer.jsonl');
  await writeFile(fewer, (await readFile(file, 'utf8')).split('\n').slice(0, 10).join('\n'));
});
afterAll(() => rm(root, { recursive: true }));

const argumentsOf = (json: object): ClipTrainingArguments =>
  clipTrainingSchema.parse({
    ...TINY,
    train_file: file,
    eval_samples: 10,
    max_steps: 6,
    save_steps: 4,
    output_dir: join(root, 'none'),
    ...json,
  });

async function settings(json: Partial<PairBatchSettings> = {}): Promise<PairBatchSettings> {
  const { pairs } = await readTrainingPairs(file);
  const source = await pairSource(
    argumentsOf({}),
    pairs.map(p => p.text),
  );
  const format = { ...source, textConfig: source.config.text_config, imageSize: 96, patchSize: 24, maxLength: 24 };
  return { pairs, format, seed: 3, batchSize: 6, keptPatches: [], ignoreBad: false, ...json };
}

describe('a file of pairs', () => {
  async function read(text: string, ignore?: (message: string) => void) {
    const path = join(root, 'lines.jsonl');
    await writeFile(path, text);
    return (await readTrainingPairs(path, ignore)).pairs;
  }
  const image = 'images/000000.png';

  it('may name its keys in several ways, relative to itself', async () => {
    const lines = [
      { image, caption: 'a' },
      { file_name: image, text: 'b', other: 1 },
      { image_path: join(root, image), caption: 'c' },
    ];
    const pairs = await read(`\uFEFF${lines.map(l => JSON.stringify(l)).join('\r\n\n')}\n`);
    expect(pairs.map(p => p.text)).toEqual(['a', 'b', 'c']);
    expect(new Set(pairs.map(p => p.image))).toEqual(new Set([join(root, image)]));
    expect(pairs[1].place).toBe(`${join(root, 'lines.jsonl')}, line 3`);
  });

  it.each([
    ['no JSON', '{"image"', /lines\.jsonl, line 2 is not valid JSON/],
    ['no caption', JSON.stringify({ image }), /line 2 has no column for the caption \(its columns are image\); name it one of/],
    ['an empty caption', JSON.stringify({ image, caption: ' ' }), /line 2 has no caption: it must be a text that is not empty/],
    ['an image that is no path', JSON.stringify({ image: 5, caption: 'a' }), /line 2, must give image and caption as texts/],
    ['a list', '[]', /line 2, is no JSON object/],
    ['null', 'null', /line 2, is no JSON object/],
    ['a missing image', '{"image": "gone.png", "caption": "a"}', /line 2: the image .*gone\.png does not exist; paths are relative/],
  ])('with %s on a line: one sentence, or a warning', async (_, line, message) => {
    const text = `${JSON.stringify({ image, caption: 'good' })}\n${line}\n`;
    await expect(read(text)).rejects.toThrow(message);
    await expect(read(text)).rejects.toThrow(NarrowsError);
    const warnings: string[] = [];
    expect((await read(text, m => warnings.push(m))).map(p => p.text)).toEqual(['good']);
    expect(warnings).toEqual([expect.stringMatching(message)]);
  });

  it('that is empty or missing is reported', async () => {
    await expect(read('\n')).rejects.toThrow(/lists no pairs/);
    await expect(readTrainingPairs(join(root, 'none.jsonl'))).rejects.toThrow(/Cannot read .*none\.jsonl: there is no such file/);
  });
});

describe('a tokenizer of words', () => {
  it('knows the most frequent words, lower case, and cuts texts as the captions were cut', () => {
    const words = frequentWords(['A dog, a cat.', 'a Dog', 'bird'], 4);
    expect(words).toEqual(['a', 'dog', ',', '.']);
    const tokenizer = new Tokenizer(wordTokenizerJson(words, 24)['tokenizer.json'] as TokenizerJson);
    expect(tokenizer.encode('a DOG, bird').ids).toEqual([1, 4, 5, 6, 2, 3]);
  });
});

describe('batches of pairs', () => {
  it('depend only on seed and step, and show every pair once an epoch, in different orders', async () => {
    const given = await settings();
    const batches = new PairBatches(given);
    const first = await batches.batch(0);
    expect(await new PairBatches(given).batch(4)).toEqual(await batches.batch(4));
    expect(await batches.batch(0)).toEqual(first);
    expect((await new PairBatches({ ...given, seed: 4 }).batch(0)).patches).not.toEqual(first.patches);
    const rows = async (step: number): Promise<string[]> => {
      const { patches } = await batches.batch(step);
      const width = patches.data.length / 6;
      return Array.from({ length: 6 }, (_, b) => String(patches.data.slice(b * width, b * width + 300)));
    };
    const epochs = [
      [0, 1, 2],
      [3, 4, 5],
    ].map(steps => Promise.all(steps.map(rows)).then(list => list.flat()));
    for (const epoch of await Promise.all(epochs)) expect(new Set(epoch).size).toBe(18);
    expect(await epochs[0]).not.toEqual(await epochs[1]);
  });

  it("hold the processor's pixels, patch by patch, and the tokenizer's ids", async () => {
    const given = await settings({ keptPatches: [{ fromStep: 2, count: 5 }] });
    const reader = new PairReader(given.format);
    const { pairs } = given;
    const pixels = await reader.pixels(pairs[0]);
    const bytes = (await decodeImage(pairs[0].image)).data;
    expect(pixels[2 * 9216 + 50 * 96 + 30]).toBeCloseTo((bytes[(50 * 96 + 30) * 3 + 2] / 255 - 0.5) / 0.27, 5);
    const batch = reader.tensors([pixels], [[6, 9]], [pairs[0].text]);
    expect(batch.patches.shape).toEqual([1, 2, 1728]);
    // Patch 9 of a 4 x 4 grid begins at row 48, column 24.
    expect(batch.patches.data[1728 + (2 * 24 + 5) * 24 + 7]).toBe(pixels[2 * 9216 + (48 + 5) * 96 + 24 + 7]);
    const ids = Array.from(batch.ids.data as Int32Array);
    expect(ids).toEqual(new Tokenizer(given.format.tokenizer.json).encode(pairs[0].text).ids);
    expect(Array.from(batch.eos.data as Int32Array)).toEqual([ids.length - 1]);
    const dropped = await new PairBatches(given).batch(2);
    expect(dropped.kept.shape).toEqual([6, 5]);
    const kept = Array.from(dropped.kept.data as Int32Array).slice(0, 5);
    expect([...new Set(kept)].sort((a, b) => a - b)).toEqual(kept);
  });

  it('say which captions are equal where that is asked for', async () => {
    expect([...captionGroups(['a', 'b', 'a', 'A', 'b'])]).toEqual([0, 1, 0, 3, 1]);
    const given = await settings();
    const pairs = given.pairs.map((p, i) => ({ ...p, text: i % 2 ? 'odd' : p.text }));
    expect(await new PairBatches({ ...given, pairs }).batch(0)).not.toHaveProperty('groups');
    const { groups, ids } = await new PairBatches({ ...given, pairs, grouped: true }).batch(0);
    const width = ids.shape[1];
    const rows = [0, 1, 2, 3, 4, 5].map(b => String(ids.data.slice(b * width, (b + 1) * width)));
    expect(Array.from(groups.data as Int32Array)).toEqual(rows.map(row => rows.indexOf(row)));
    expect(new Set(rows).size).toBeLessThan(6);
  });

  it('name file and line of an image that cannot be read, or take the next pair', async () => {
    const bad = join(root, 'bad.png');
    await writeFile(bad, 'no picture');
    const given = await settings();
    const pairs = given.pairs.map((p, i) => (i === 7 ? { ...p, image: bad } : p));
    const draw = async (ignoreBad: boolean, warnings: string[]) => {
      const batches = new PairBatches({ ...given, pairs, ignoreBad });
      return Promise.all([0, 1, 2].map(step => batches.batch(step, message => warnings.push(message))));
    };
    await expect(draw(false, [])).rejects.toThrow(/scenes\.jsonl, line 8: Image .*bad\.png is not an image Narrows can read/);
    const warnings: string[] = [];
    const batches = await draw(true, warnings);
    expect(warnings).toEqual([expect.stringMatching(/^Left out: .*line 8: /)]);
    for (const { patches } of batches) expect(patches.shape[0]).toBe(6);
    expect(await draw(true, [])).toEqual(batches);
    const none = new PairBatches({ ...given, pairs: pairs.map(p => ({ ...p, image: bad })), ignoreBad: true });
    await expect(none.batch(0)).rejects.toThrow('Fewer than 6 images can be read; that does not fill a batch.');
  });

  it('can be drawn in rows that processes share: those of the whole batch, and no picture of another one is read', async () => {
    const bad = join(root, 'bad-row.png');
    await writeFile(bad, 'no picture');
    const given = { ...(await settings({ grouped: true, keptPatches: [{ fromStep: 0, count: 5 }] })) };
    const whole = await new PairBatches(given).batch(1);
    const rows = { from: 2, to: 5 };
    const pixels = (whole.patches.data as Float32Array).length / 6;
    const expectRows = async (settings: PairBatchSettings): Promise<void> => {
      const found = await new PairBatches(settings).batch(1, () => {}, rows);
      expect(found.patches.data).toEqual(whole.patches.data.slice(2 * pixels, 5 * pixels));
      expect(found.kept.data).toEqual(whole.kept.data.slice(10, 25));
      expect(found.eos.data).toEqual(whole.eos.data.slice(2, 5));
      expect(found.groups).toEqual(whole.groups);
    };
    await expectRows(given);
    await expectRows({ ...given, ignoreBad: true });
    // Which pictures are read shows where all others are broken.
    const order = new RandomStream(given.seed, 'pairs').reader(0, 0).shuffle([...given.pairs.keys()]);
    const mine = new Set(order.slice(6 + rows.from, 6 + rows.to));
    await expectRows({ ...given, pairs: given.pairs.map((p, i) => (mine.has(i) ? p : { ...p, image: bad })) });
  });
});

describe('training on pairs', () => {
  it('writes a model that opens, goes on bit-equal after an interruption, and is a start for another', async () => {
    const args = argumentsOf({ output_dir: join(root, 'run'), validation_file: fewer });
    const { metrics, finished } = await trainClip(args);
    expect(finished).toBe(true);
    expect(Object.keys(metrics)).toEqual(['eval_loss', 'eval_image_to_text', 'eval_text_to_image']);
    const card = await readFile(join(root, 'run/README.md'), 'utf8');
    expect(card).toContain('| image to text |');

    // The evaluation's loss, from the written model through CLIPModel.
    await using model = await CLIPModel.fromPretrained(join(root, 'run'));
    const { tensors } = await openSafetensors(join(root, 'run/model.safetensors'));
    const parameters = [...tensors.values()].reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(card).toContain(`A CLIP of ${formatNumber(parameters / 1e6)} million parameters`);
    const { pairs } = await readTrainingPairs(fewer);
    const images = await Promise.all(pairs.map(async p => model.processor.process(await decodeImage(p.image)).pixelValues));
    const { inputIds } = model.requireTokenizer().encodeBatch(pairs.map(p => p.text));
    const { logitsPerImage } = await model.forward({ pixelValues: stackImages(images), inputIds });
    const at = (i: number, j: number): number => logitsPerImage.data[i * 10 + j];
    const nll = (row: number[], i: number): number => Math.log(row.reduce((sum, v) => sum + Math.exp(v), 0)) - row[i];
    const all = [...Array(10).keys()];
    const losses = all.map(
      i =>
        (nll(
          all.map(j => at(i, j)),
          i,
        ) +
          nll(
            all.map(j => at(j, i)),
            i,
          )) /
        2,
    );
    expect(metrics.eval_loss).toBeCloseTo(losses.reduce((a, b) => a + b) / 10, 4);

    const controller = new AbortController();
    const moved = join(root, 'moved.jsonl');
    await copyFile(file, moved);
    const again = { ...args, output_dir: join(root, 'run-2') };
    const onProgress = (step: number): void => void (step === 3 && controller.abort());
    expect(await trainClip(again, { signal: controller.signal, onProgress })).toMatchObject({ step: 3, finished: false });
    // A copy of the file is the same data.
    await trainClip({ ...again, train_file: moved });
    for (const name of ['model.safetensors', 'checkpoint-6/optimizer.safetensors', 'metrics.jsonl'])
      expect((await readFile(join(root, 'run-2', name))).equals(await readFile(join(root, 'run', name))), name).toBe(true);

    // A rate of 0 leaves the start as it was, with its tokenizer and preprocessor.
    const start = { model: join(root, 'run'), output_dir: join(root, 'tuned'), max_steps: 1, learning_rate: 0, vision_hidden_size: 999 };
    await trainClip(argumentsOf(start));
    for (const name of ['model.safetensors', 'tokenizer.json', 'preprocessor_config.json'])
      expect((await readFile(join(root, 'tuned', name))).equals(await readFile(join(root, 'run', name))), name).toBe(true);
    const files = await readdir(join(root, 'tuned'));
    expect(files).toContain('config.json');

    await appendFile(moved, '\n{"image": "images/000000.png", "caption": "one more"}\n');
    await expect(trainClip({ ...again, train_file: moved })).rejects.toThrow(/The training data is not what/);
    await expect(trainClip({ ...again, train_file: undefined, validation_file: undefined })).rejects.toThrow(
      /The training data is not what|was trained/,
    );
    await expect(trainClip({ ...args, seed: 4 })).rejects.toThrow(/seed \(was 3, now 4\)/);
    await expect(
      trainClip({ ...args, train_file: undefined, validation_file: undefined, model: join(root, 'run'), output_dir: join(root, 'x') }),
    ).rejects.toThrow(/was not made for the built-in scenes/);
    await rm(join(root, 'run'), { recursive: true });
    await expect(trainClip({ ...args, model: join(root, 'run'), output_dir: join(root, 'x') })).rejects.toThrow(NarrowsError);
  });

  it('takes equal captions for one target unless they are to be distinct; without any both are the same run', async () => {
    const lines = (await readFile(file, 'utf8')).trim().split('\n').slice(0, 8);
    const list = async (name: string, caption: (i: number) => string): Promise<string> => {
      const path = join(root, name);
      await writeFile(path, lines.map((line, i) => JSON.stringify({ image: JSON.parse(line).file_name, caption: caption(i) })).join('\n'));
      return path;
    };
    const short = { max_steps: 2, save_steps: 2 };
    const weights = async (name: string, train_file: string, distinct_captions: boolean): Promise<Buffer> => {
      const output_dir = join(root, name);
      await trainClip(argumentsOf({ ...short, output_dir, train_file, distinct_captions }));
      return readFile(join(output_dir, 'model.safetensors'));
    };
    const alike = await list('alike.jsonl', i => (i % 2 ? 'a dog' : 'a cat'));
    const single = await list('single.jsonl', i => `a dog ${'and a dog '.repeat(i)}`.trim());
    const runtime = nodeRuntime({ threads: 1 });
    for (const [train_file, distinct_captions, grouped] of [
      [alike, false, true],
      [alike, true, false],
      [single, false, false],
    ] as const) {
      const task = await clipPairTask(runtime, argumentsOf({ train_file, distinct_captions }));
      expect('groups' in (await task.batch(0)), `${train_file} ${distinct_captions}`).toBe(grouped);
      await task.close();
    }
    await runtime.release();
    expect((await weights('alike', alike, false)).equals(await weights('apart', alike, true))).toBe(false);
    expect((await weights('single', single, false)).equals(await weights('single-apart', single, true))).toBe(true);
    await expect(
      trainClip(argumentsOf({ ...short, output_dir: join(root, 'alike'), train_file: alike, distinct_captions: true })),
    ).rejects.toThrow(/distinct_captions \(was false, now true\)/);
  });

  it('reads pictures out of a parquet list, and goes on where it was moved', async () => {
    const parquet = join(root, 'pictures.parquet');
    await copyFile(new URL('../../inputs/pairs/testdata/pictures.parquet', import.meta.url), parquet);
    const args = argumentsOf({
      ...{ train_file: parquet, validation_file: parquet, output_dir: join(root, 'parquet') },
      ...{ per_device_train_batch_size: 3, max_steps: 2, save_steps: 1 },
    });
    expect((await trainClip(args)).metrics.eval_loss).toBeGreaterThan(0);
    await copyFile(parquet, join(root, 'moved.parquet'));
    await rm(parquet);
    expect(await trainClip({ ...args, train_file: join(root, 'moved.parquet'), validation_file: undefined, max_steps: 3 })).toMatchObject({
      step: 3,
    });
  });

  it('keeps a given tokenizer and writes it with the model', async () => {
    const tokenizer = join(root, 'run-2');
    await trainClip(argumentsOf({ tokenizer, max_steps: 1, output_dir: join(root, 'with-tokenizer') }));
    expect(await readFile(join(root, 'with-tokenizer/tokenizer.json'), 'utf8')).toBe(
      await readFile(join(tokenizer, 'tokenizer.json'), 'utf8'),
    );
  });

  it.each([
    ['a batch larger than the data', { per_device_train_batch_size: 64 }, /has 20 pairs, fewer than the batch of 64; lower the batch size/],
    ['a head that does not fit', { vision_hidden_size: 33 }, /vision_config.hidden_size 33 is not a multiple/],
    ['no tokenizer', { tokenizer: '/nowhere' }, /There is no directory \/nowhere/],
    ['no model', { model: '/nowhere' }, /nowhere/],
  ])('with %s: one sentence', async (_, json, message) => {
    await expect(trainClip(argumentsOf(json))).rejects.toThrow(message);
    await expect(trainClip(argumentsOf(json))).rejects.toThrow(NarrowsError);
  });

  it('never writes over a model that is not its own', async () => {
    const directory = join(root, 'owned');
    await trainClip(argumentsOf({ output_dir: directory, max_steps: 1 }));
    await rm(join(directory, 'checkpoint-1'), { recursive: true });
    await expect(trainClip(argumentsOf({ output_dir: directory }))).rejects.toThrow(/holds a model but no checkpoint to resume from/);
  });
});

describe('arguments', () => {
  it.each([
    [{ train_file: undefined, tokenizer: 'x' }, '"tokenizer" needs a "train_file"'],
    [{ train_file: undefined, distinct_captions: true }, '"distinct_captions" needs a "train_file"'],
    [{ train_file: undefined, max_seq_length: 12 }, '"max_seq_length" must be at least 24 on scenes'],
    [{ train_file: undefined, contrastive_weight: 0, naming_weight: 0, dense_weight: 0 }, 'All loss weights are 0'],
    [{ contrastive_weight: 0 }, 'pairs have no other loss'],
    [{ model: 'x', tokenizer: 'y' }, '"tokenizer" cannot be given with "model"'],
    [{ per_device_train_batch_size: 1 }, 'must be at least 2'],
  ])('%j are refused', (json, message) => expect(() => checkClipArguments(argumentsOf(json))).toThrow(message));

  it('of the example are valid', async () => {
    const text = await readFile(new URL('../../../examples/train-clip.json', import.meta.url), 'utf8');
    expect(clipTrainingSchema.parse({ ...JSON.parse(text), output_dir: 'x' }).kept_patches).toHaveLength(3);
  });

  it('each have a line of help', () => {
    for (const [key, field] of Object.entries(clipTrainingSchema.shape)) expect(field.description, key).toMatch(/^.{10,110}$/);
  });
});

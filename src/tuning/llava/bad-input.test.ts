/** What bad input gets: one sentence each, and nothing lost. */
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readFloats } from '../../checkpoints/safetensors.ts';
import { writeSafetensors } from '../../checkpoints/write.ts';
import { NarrowsError } from '../../system/errors.ts';
import { silent } from '../../system/log.ts';
import { floats } from '../../tensor/tensor.ts';
import { type LlavaArguments, projectorTrainingSchema, tuneTrainingSchema } from './arguments.ts';
import { TINY_RUN, type TinyRecord, tinyTokenizer, turns, writeTinyData, writeTinyLlava } from './testing/tiny-llava.ts';
import { trainLlava } from './train.ts';

let root: string;
let model: string;
let records: TinyRecord[];
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-llava-bad-'));
  model = await writeTinyLlava(join(root, 'model'));
  records = (await writeTinyData(root, 8)).records;
});
afterAll(() => rm(root, { recursive: true }));

const tune = (json: object): LlavaArguments =>
  tuneTrainingSchema.parse({
    ...TINY_RUN,
    max_steps: 2,
    model,
    data_path: join(root, 'data.json'),
    output_dir: join(root, `run-${count++}`),
    ...json,
  });

/** Arguments of a run on other records, or on other text. */
async function on(data: TinyRecord[] | string, json: object = {}): Promise<LlavaArguments> {
  const path = join(root, `data-${count++}.${typeof data === 'string' ? 'jsonl' : 'json'}`);
  await writeFile(path, typeof data === 'string' ? data : JSON.stringify(data));
  return tune({ data_path: path, ...json });
}

async function refusal(args: LlavaArguments): Promise<string> {
  const error = await trainLlava(args).then(
    () => expect.fail('it ran'),
    error => error,
  );
  expect(error).toBeInstanceOf(NarrowsError);
  expect(error.message).not.toContain('\n');
  return error.message;
}

describe('data that cannot be trained on', () => {
  it('misses images: they are listed and counted, or left out on request', async () => {
    const lost = records.map((r, i) => (i < 2 ? { ...r, image: `pictures/lost-${i}.png` } : r));
    expect(await refusal(await on(lost))).toMatch(
      /^2 images of 2 of 8 conversations are missing from .*: pictures\/lost-0\.png, pictures\/lost-1\.png; .*--skip-missing/,
    );
    const warnings: string[] = [];
    const args = await on(lost, { skip_missing: true, max_steps: 0 });
    const result = await trainLlava(args, { log: { ...silent, warn: message => warnings.push(message) } });
    // 6 samples are left, one update of 4 in an epoch.
    expect(result).toMatchObject({ step: 1, finished: true });
    expect(warnings).toEqual(['2 of 8 samples are left out, since 2 images are missing.', expect.stringContaining('has no image rules')]);
    // The samples are those of the run, or it does not go on.
    await writeFile(join(root, 'pictures/lost-0.png'), await readFile(join(root, 'pictures/red.png')));
    expect(await refusal({ ...args, max_steps: 3 })).toMatch(/^The training data is not what .*checkpoint-1 was trained on/);
    await rm(join(root, 'pictures/lost-0.png'));
    expect(await refusal(await on(lost.slice(0, 2), { skip_missing: true }))).toContain('holds no sample whose images are all there');
  });

  it.each([
    [
      'no assistant turn',
      { conversations: [{ from: 'human', value: 'Say red' }] },
      /entry 1 \(line 1\): the conversation has no turn of the assistant/,
    ],
    [
      'an <image> without image',
      { conversations: turns('<image>\nWhat?', 'red') },
      /the text has 1 <image> mark, but the record names no image/,
    ],
    [
      'an image without <image>',
      { image: 'pictures/red.png', conversations: turns('What?', 'red') },
      /the text has no <image> mark.*names 1 image/,
    ],
  ])('has %s', async (_, record, message) => {
    expect(await refusal(await on([{ id: 'x', ...record }, ...records]))).toMatch(message);
  });

  it('has a corrupt line, named by its number', async () => {
    const lines = records.map(record => JSON.stringify(record));
    lines[2] = lines[2].slice(0, 40);
    expect(await refusal(await on(lines.join('\n')))).toMatch(/data-\d+\.jsonl is not valid JSON: .* at line 3, column \d+/);
  });

  it('has a picture that is none, named by its sample', async () => {
    await writeFile(join(root, 'pictures/broken.png'), 'no picture');
    const broken = records.map(r => (r.image ? { ...r, image: 'pictures/broken.png' } : r));
    expect(await refusal(await on(broken))).toMatch(/^Sample "(picture|text)-\d": .*broken\.png/);
  });

  it('is too little for one update', async () => {
    expect(await refusal(await on(records.slice(0, 3)))).toMatch(/has 3 samples, fewer than the 4 of an update; lower/);
  });

  it('is too long: cut, reported for the first samples, counted at the end', async () => {
    const warnings: string[] = [];
    const log = { ...silent, warn: (message: string) => warnings.push(message) };
    await trainLlava(tune({ model_max_length: 62, max_steps: 6 }), { log });
    const cut = warnings.filter(w => / are cut/.test(w));
    expect(cut[0]).toMatch(/^Sample "picture-\d" has \d+ tokens; the last \d+ are cut, since "model_max_length" is 62\.$/);
    expect(cut.length).toBeLessThanOrEqual(5);
    expect(warnings.at(-1)).toMatch(/^\d samples? had more than 62 tokens and were cut|had nothing to learn from/);
    // An image is cut whole or not at all; nothing is left to learn here, which is no crash.
    const few: string[] = [];
    await trainLlava(tune({ model_max_length: 40 }), { log: { ...silent, warn: message => few.push(message) } });
    expect(few.some(w => /Nothing of sample .* is supervised once it is cut\./.test(w))).toBe(true);
    expect(few.at(-1)).toMatch(/samples had nothing to learn from\.$/);
  });
});

describe('a model that cannot be trained', () => {
  it('has a tokenizer without the image token', async () => {
    const other = await writeTinyLlava(join(root, 'no-image-token'), tinyTokenizer(''));
    expect(await refusal(tune({ model: other }))).toMatch(
      /has no token 119, which config\.json names as image_token_index; add <image> to it/,
    );
  });

  it('has a tower and a projector that do not fit', async () => {
    const other = await writeTinyLlava(join(root, 'mismatch'));
    const { tensors } = await openSafetensors(join(model, 'model.safetensors'));
    const changed = await Promise.all(
      [...tensors].map(async ([name, entry]) => {
        const wide = name.endsWith('projector.linear_1.weight');
        return [name, wide ? floats([48, 40], new Float32Array(48 * 40)) : floats(entry.shape, await readFloats(entry))] as const;
      }),
    );
    await writeSafetensors(join(other, 'model.safetensors'), changed, { format: 'pt' });
    expect(await refusal(tune({ model: other }))).toMatch(/projector .* takes features of width 40, but its vision tower gives 32/);
  });

  it('is no LLaVA', async () => {
    const other = await writeTinyLlava(join(root, 'other-type'));
    await writeFile(join(other, 'config.json'), JSON.stringify({ model_type: 'llama' }));
    expect(await refusal(tune({ model: other }))).toContain('is of model_type "llama", not "llava"');
  });

  it('has no such block for a bottleneck', async () => {
    expect(await refusal(tune({ method: 'vittle', bottleneck_layer: [4] }))).toContain(
      'bottleneck_layers names block 4, but the decoder has 4',
    );
  });
});

describe('a run', () => {
  it('whose loss is no number stops, names the samples, and keeps the last checkpoint', async () => {
    const args = tune({ learning_rate: 1e30, lr_scheduler_type: 'constant', max_grad_norm: 0, save_steps: 1, max_steps: 5 });
    const message = await refusal(args);
    expect(message).toMatch(
      /^The loss is NaN at step 2, on the samples "(picture|text)-\d", "(picture|text)-\d"; the last checkpoint is unharmed/,
    );
    expect((await readdir(args.output_dir)).filter(n => n.includes('checkpoint'))).toEqual(['checkpoint-1']);
    await openSafetensors(join(args.output_dir, 'checkpoint-1/model.safetensors'));
  });

  it('does not go on from a checkpoint of another model, nor write over what is not its own', async () => {
    const args = tune({ max_steps: 1 });
    await trainLlava(args);
    const stage1 = projectorTrainingSchema.parse({ ...TINY_RUN, model, data_path: args.data_path, output_dir: args.output_dir });
    expect(await refusal({ ...stage1, method: 'projector' })).toMatch(
      /was trained with other arguments: .*method \(was "full", now "projector"\)/,
    );
    expect(await refusal({ ...args, output_dir: model })).toContain(
      'holds a model but no checkpoint to resume from; choose another output_dir.',
    );
    await truncate(join(args.output_dir, 'checkpoint-1/model.safetensors'), 1000);
    expect(await refusal({ ...args, max_steps: 2 })).toMatch(
      /^No checkpoint in .* can be taken up; delete them to start afresh\. The newest: .*its SHA-256 differs/,
    );
  });

  it('is refused for arguments that do not go together', async () => {
    for (const [json, message] of [
      [{ data_path: undefined, validation_file: 'x' }, '"validation_file" needs a "data_path"'],
      [{ data_path: undefined, max_steps: 0 }, '"max_steps" must be given on the built-in scenes'],
      [{ optim: 'muon', mm_projector_lr: 1 }, '"mm_projector_lr" needs "optim": "adamw".'],
      [{ preset: 'llava-1.5-projector' }, 'The preset "llava-1.5-projector" is of the other stage'],
      [{ load_best_model_at_end: true }, 'need evaluations; give a "validation_file"'],
      [{ template: 'v7' }, 'There is no chat template "v7"'],
    ] as const)
      expect(await refusal(tune(json))).toContain(message);
  });
});

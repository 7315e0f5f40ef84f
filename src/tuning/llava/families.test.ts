/** LoRA and Vittle on the tiny checkpoints of other families than LLaVA: what they change, learn, write and answer. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../checkpoints/disk.ts';
import { generate } from '../../generation/generate.ts';
import { ChatModel } from '../../generation/pretrained.ts';
import { FAMILY_GOLDENS, familyDirectory } from '../../generation/testing/family-goldens.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import { familyOf } from '../../models/llava/families.ts';
import { LlavaModel } from '../../models/llava/model.ts';
import { ints } from '../../tensor/tensor.ts';
import { tuneTrainingSchema } from './arguments.ts';
import { convertModel } from './convert.ts';
import { TINY_RUN, type TinyRecord, turns, writeTinyData } from './testing/tiny-llava.ts';
import { trainLlava } from './train.ts';

const { template: _, ...tiny } = TINY_RUN;
const run = { ...tiny, per_device_train_batch_size: 2, gradient_accumulation_steps: 1, logging_steps: 1 };
let root: string;
let data: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-families-'));
  data = (await writeTinyData(root, 20)).path;
});
afterAll(() => rm(root, { recursive: true }));

/** Nats of each token of the answer that was learnt, and what the model says itself. */
async function ask(directory: string): Promise<{ nats: number; said: string }> {
  await using chat = await ChatModel.open(directory);
  const pixels = chat.pixels([await decodeImage(join(root, 'pictures/red.png'))])!;
  const prompt = chat.prompt([{ role: 'user', content: '<image>\nWhat colour is this picture?' }], pixels);
  const words = chat.tokenizer.encode(' red', { maxLength: 9 }).tokens.map(({ id }) => id);
  const ids = [...prompt.ids, ...words];
  const labels = ids.map((id, i) => (i < prompt.ids.length ? -100 : id));
  if (!(chat.model instanceof LlavaModel)) throw new Error('not opened as a LlavaModel');
  const { loss } = await chat.model.forward({
    inputIds: ints([1, ids.length], ids),
    labels: ints([1, ids.length], labels),
    pixelValues: pixels,
  });
  const [answer] = await generate(chat.model, [prompt], chat.options({ maxNewTokens: 5 }));
  return { nats: loss!, said: answer.text };
}

const losses = async (directory: string): Promise<number[]> =>
  (await readFile(join(directory, 'metrics.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map(line => JSON.parse(line).loss)
    .filter(loss => loss !== undefined);

/** Rules that make one tile of a picture: quick to learn from. */
const FEW = { do_image_splitting: false };

/** A run that is stopped behind a checkpoint and started again must write the same files, to the byte. */
async function expectSameWhenResumed(
  args: ReturnType<typeof tuneTrainingSchema.parse>,
  step: number,
  files: readonly string[],
): Promise<void> {
  const output_dir = `${args.output_dir}-resumed`;
  await cp(join(args.output_dir, `checkpoint-${step}`), join(output_dir, `checkpoint-${step}`), { recursive: true });
  await trainLlava({ ...args, output_dir });
  for (const name of files)
    expect((await readFile(join(output_dir, name))).equals(await readFile(join(args.output_dir, name))), `${name}, resumed`).toBe(true);
}

describe.each(FAMILY_GOLDENS)('%s', name => {
  const model = familyDirectory(name);
  // Of some families the bottleneck stands behind the connector, of the others in the decoder.
  const layer = /idefics|next/.test(name) ? -1 : 1;
  let small: string;
  beforeAll(async () => {
    small = join(root, name.replaceAll('/', '-'));
    await cp(model, small, { recursive: true });
    const rules = join(small, 'preprocessor_config.json');
    await writeFile(rules, JSON.stringify({ ...JSON.parse(await readFile(rules, 'utf8')), ...FEW }));
  });
  const tune = (json: object) =>
    tuneTrainingSchema.parse({
      ...run,
      model,
      data_path: data,
      max_steps: 40,
      learning_rate: 0.02,
      eval_steps: 40,
      save_steps: 37,
      ...json,
    });

  it('tunes adapters whose names are those of its modules in Python; merged it answers as it learnt', async () => {
    const output = join(root, `lora-${name.replaceAll('/', '-')}`);
    const args = tune({ model: small, method: 'lora', lora_r: 4, lora_alpha: 16, validation_file: data, output_dir: output });
    await trainLlava(args);
    await expectSameWhenResumed(args, 37, ['adapter_model.safetensors', 'adapter_config.json']);
    const all = await losses(output);
    expect(Math.min(...all.slice(-5))).toBeLessThan(0.7 * all[0]);
    const names = [...(await openSafetensors(join(output, 'adapter_model.safetensors'))).tensors.keys()];
    const config = JSON.parse(await readFile(join(output, 'adapter_config.json'), 'utf8'));
    await using opened = await ChatModel.open(model);
    const { peft } = familyOf(opened.model.config)!;
    expect(config).toMatchObject({ target_modules: peft.linear, modules_to_save: [peft.projector] });
    for (const tensor of names)
      expect(tensor).toMatch(new RegExp(`^base_model\\.model\\.(${peft.linear}\\.lora_[AB]|.*\\.${peft.projector}\\..*)\\.(weight|bias)$`));
    const merged = join(root, `merged-${name.replaceAll('/', '-')}`);
    await convertModel({ directory: output, output: merged });
    const [before, after] = [
      await openSafetensors(join(model, 'model.safetensors')),
      await openSafetensors(join(merged, 'model.safetensors')),
    ];
    expect([...after.tensors.keys()].sort()).toEqual([...before.tensors.keys()].sort());
    const [start, end] = [await ask(small), await ask(merged)];
    expect(end.nats).toBeLessThan(0.8 * start.nats);
    expect(end.said).not.toBe(start.said);
  });

  it('tunes with a bottleneck, and answers through it', async () => {
    const output = join(root, `vittle-${name.replaceAll('/', '-')}`);
    const vittle = {
      method: 'vittle',
      bottleneck_layer: [layer],
      beta_visual: 1e-3,
      beta_text: 1e-3,
      max_steps: 8,
      save_steps: 4,
      eval_steps: 8,
    };
    const args = tune({ ...vittle, output_dir: output });
    await trainLlava(args);
    await expectSameWhenResumed(args, 4, ['bottleneck.safetensors', 'model.safetensors']);
    const all = await losses(output);
    expect(Math.min(...all.slice(-3))).toBeLessThan(all[0]);
    await using chat = await ChatModel.open(output);
    const { config } = chat.model;
    expect([chat.model instanceof LlavaModel, config.model_type, config.bottleneck_config]).toMatchObject([
      true,
      JSON.parse(await readFile(join(model, 'config.json'), 'utf8')).model_type,
      { bottleneck_layers: [layer] },
    ]);
    expect((await openSafetensors(join(output, 'bottleneck.safetensors'))).tensors.size).toBeGreaterThan(0);
    expect(await ask(output)).toEqual({ nats: expect.any(Number), said: expect.any(String) });
  });

  it.runIf(/smolvlm-tiny|onevision/.test(name))('has the validation loss of isolated questions in a record each', async () => {
    const [first, second] = [turns('<image>\nWhat colour is this picture?', 'red'), turns('Say it twice.', 'red red')];
    const file = async (what: string, conversations: readonly TinyRecord['conversations'][]): Promise<string> => {
      const path = join(root, `${name.replaceAll('/', '-')}-${what}.json`);
      const image = 'pictures/red.png';
      await writeFile(path, JSON.stringify(conversations.map((each, i) => ({ id: `${i}`, image, conversations: each }))));
      return path;
    };
    const packed = await file('packed', [[...first, ...second]]);
    const apart = await file('apart', [first, [{ ...second[0], value: `<image>\n${second[0].value}` }, second[1]]]);
    const how = { method: 'lora', lora_r: 2, learning_rate: 0, max_steps: 1, eval_steps: 1, per_device_train_batch_size: 1 };
    const loss = async (path: string, isolated_turns: boolean): Promise<number> =>
      (await trainLlava(tune({ ...how, data_path: path, validation_file: path, isolated_turns, output_dir: `${path}-${isolated_turns}` })))
        .metrics.eval_loss;
    const isolated = await loss(packed, true);
    expect(isolated).toBeCloseTo(await loss(apart, false), 5);
    expect(Math.abs(isolated - (await loss(packed, false)))).toBeGreaterThan(1e-4);
  });
});

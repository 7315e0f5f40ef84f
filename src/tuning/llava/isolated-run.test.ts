/** Runs with isolated turns: on files and scenes, stopped and resumed, and what they refuse. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageTokens } from '../../models/llava/config.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { CHAT_IMAGE_TOKEN } from '../../scenes/chat-tokenizer.ts';
import { CONCEPTS } from '../../scenes/concepts.ts';
import { syntheticWorld } from '../../scenes/testdata/synthetic.ts';
import { silent } from '../../system/log.ts';
import { trainingArgumentsSchema } from '../arguments.ts';
import { type LlavaArguments, projectorTrainingSchema, tuneTrainingSchema } from './arguments.ts';
import { SceneUpdates } from './scene-batch.ts';
import { scenePretrainTask } from './scene-pretrain.ts';
import { sceneLlavaSource } from './scene-source.ts';
import { TINY_RUN, type TinyRecord, turns, writeTinyData, writeTinyLlava } from './testing/tiny-llava.ts';
import { trainLlava } from './train.ts';

let root: string;
let model: string;
let data: string;
let records: TinyRecord[];
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-isolated-'));
  model = await writeTinyLlava(join(root, 'model'));
  ({ path: data, records } = await writeTinyData(root, 20));
});
afterAll(() => rm(root, { recursive: true }));

const common = (json: object) => ({
  ...{ ...TINY_RUN, model, data_path: data, isolated_turns: true, max_steps: 4, eval_steps: 4, save_steps: 100 },
  ...{ output_dir: join(root, `run-${count++}`), ...json },
});
const tune = (json: object = {}): LlavaArguments => tuneTrainingSchema.parse(common(json));

async function file(all: readonly TinyRecord[]): Promise<string> {
  const path = join(root, `data-${count++}.json`);
  await writeFile(path, JSON.stringify(all));
  return path;
}

const weights = (directory: string): Promise<Buffer> => readFile(join(directory, 'model.safetensors'));

describe('a file', () => {
  it('has the validation loss of its questions in a record each', async () => {
    const single = records.flatMap(({ id, image, conversations }) =>
      Array.from({ length: conversations.length / 2 }, (_, i): TinyRecord => {
        const [question, answer] = conversations.slice(2 * i, 2 * i + 2);
        const value = i > 0 && image ? `<image>\n${question.value}` : question.value;
        return { id: `${id}-${i}`, ...(image ? { image } : {}), conversations: [{ ...question, value }, answer] };
      }),
    );
    expect(single.length).toBeGreaterThan(records.length);
    for (const loss_average of ['token', 'turn']) {
      const how = { learning_rate: 0, max_steps: 1, eval_steps: 1, loss_average };
      const run = async (path: string, json: object): Promise<number> =>
        (await trainLlava(tune({ ...how, validation_file: path, ...json }))).metrics.eval_loss;
      const [packed, apart] = [await run(data, {}), await run(await file(single), { isolated_turns: false })];
      const dense = await run(data, { isolated_turns: false });
      expect(packed).toBeCloseTo(apart, 5);
      expect(Math.abs(packed - dense)).toBeGreaterThan(1e-4);
    }
  });

  it('through a bottleneck, stopped on the way, ends in the bits of one that was not; it cannot go on as conversations', async () => {
    const args = tune({ method: 'vittle', loss_average: 'turn' });
    await trainLlava(args);
    const stopped = { ...args, output_dir: join(root, 'stopped') };
    const controller = new AbortController();
    const first = await trainLlava(stopped, { signal: controller.signal, onProgress: step => step === 2 && controller.abort() });
    expect(first).toMatchObject({ step: 2, finished: false });
    for (const [other, message] of [
      [{ isolated_turns: false }, 'isolated_turns (was true, now false)'],
      [{ loss_average: 'token' as const }, 'loss_average (was "turn", now "token")'],
    ] as const)
      await expect(trainLlava({ ...stopped, ...other })).rejects.toThrow(message);
    expect(await trainLlava(stopped)).toMatchObject({ step: 4, finished: true });
    expect((await weights(stopped.output_dir)).equals(await weights(args.output_dir))).toBe(true);
  });

  it('is refused before the first step where its turns cannot be isolated', async () => {
    const late: TinyRecord = {
      id: 'late',
      image: 'pictures/red.png',
      conversations: [...turns('Say red.', 'red'), ...turns('<image>\nWhat colour is this?', 'red')],
    };
    await expect(trainLlava(tune({ data_path: await file([...records, late]) }))).rejects.toThrow(
      'Sample "late": a later question shows a picture, so its turns cannot be isolated',
    );
    const stage1 = { ...projectorTrainingSchema.parse(common({ template: 'plain' })), method: 'projector' as const };
    await expect(trainLlava(stage1)).rejects.toThrow(/^Sample "picture-1": the chat template puts pictures .*right before an answer/);
  });

  it('of one question a record is trained as ever, which is said', async () => {
    const path = await file(records.filter(({ conversations }) => conversations.length === 2));
    const said: string[] = [];
    const [isolated, plain] = [tune({ data_path: path, max_steps: 1 }), tune({ data_path: path, max_steps: 1, isolated_turns: false })];
    await trainLlava(isolated, { log: { ...silent, warn: message => said.push(message) } });
    expect(said).toContain(`"isolated_turns" changes nothing: no sample of ${path} has more than one question.`);
    await trainLlava(plain);
    expect((await weights(isolated.output_dir)).equals(await weights(plain.output_dir))).toBe(true);
  });

  it('longer than model_max_length loses whole questions, with a sentence', async () => {
    const said: string[] = [];
    const log = { ...silent, warn: (message: string) => said.push(message) };
    const long: TinyRecord = { id: 'long', conversations: turns('Say red.', 'red') };
    for (let i = 0; i < 9; i++) long.conversations.push(...turns('Say blue, please say it twice.', 'blue blue'));
    await trainLlava(tune({ data_path: await file([long, long, long, long]), model_max_length: 60, max_steps: 1 }), { log });
    expect(said.some(line => /^Sample "long" has \d+ tokens; the last \d+ are cut/.test(line))).toBe(true);
  });
});

describe('scenes', () => {
  const chat = { curriculumSteps: 0, maxObjects: 2, spelled: 0, extra: 0, maxTurns: 3 };

  it('are the same questions, each behind the picture', async () => {
    const { config } = await sceneLlavaSource('scene-clip');
    const settings = { ...chat, seed: 4, batchSize: 2, imageMean: [0, 0, 0], imageStd: [1, 1, 1] };
    const [dense, isolated] = [false, true].map(on =>
      new SceneUpdates(syntheticWorld(CONCEPTS.length), config, { ...settings, isolated: on }, 1).rows(3, 0),
    );
    expect(isolated.pixel_values.data).toEqual(dense.pixel_values.data);
    const answers = ({ labels }: typeof dense): number[] => Array.from(labels.data as Int32Array).filter(label => label !== -100);
    expect(answers(isolated)).toEqual(answers(dense));
    const [length, behind] = [isolated.turns.shape[1], imageTokens(config) + 3];
    const of = Array.from(isolated.turns.data as Int32Array).slice(0, length);
    expect(of.slice(0, behind).every(turn => turn === 0)).toBe(true);
    expect(Math.max(...of)).toBe(3);
    expect(isolated.position_ids.data[of.indexOf(2)]).toBe(behind);
    // Without user and colon in front of each later question.
    expect(Number(dense.attention_mask.data.length) - isolated.attention_mask.data.length).toBe(2 * 2 * 2);
    expect(CHAT_IMAGE_TOKEN).toBe(config.image_token_index);
  });

  it('are pre-trained and tuned so', async () => {
    const runtime = nodeRuntime({ threads: 1 });
    const args = trainingArgumentsSchema.parse({ output_dir: root, per_device_train_batch_size: 2 });
    const tiny = { hidden_size: 32, intermediate_size: 48, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1 };
    const task = await scenePretrainTask(runtime, args, {
      source: await sceneLlavaSource('scene-clip', tiny),
      world: syntheticWorld(CONCEPTS.length),
      chat: { ...chat, isolated: true, lossAverage: 'turn' },
      evalScenes: 1,
    });
    const batch = await task.batch(0);
    expect(batch.turns.shape).toEqual(batch.labels.shape);
    // Two scenes of three questions: one micro-batch, six answers.
    expect(batch.loss_divisor.data[0]).toBe(6);
    const start = join(root, 'scene-model');
    await task.save(start);
    await task.close();
    await runtime.release();
    const tuned = tuneTrainingSchema.parse({
      ...{ output_dir: join(root, 'scene-run'), model: start, max_steps: 1, per_device_train_batch_size: 2, eval_samples: 1 },
      ...{ isolated_turns: true, num_threads: 1, report_to: [] },
    });
    expect(await trainLlava(tuned)).toMatchObject({ finished: true });
  });
});

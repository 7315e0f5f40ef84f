/** How an update is cut into micro-batches changes neither its loss nor its noise, for files and for scenes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alphaAt } from '../../bottleneck/gaussian/alpha.ts';
import type { BottleneckConfig } from '../../bottleneck/gaussian/config.ts';
import { ALPHA_INPUT, bottleneckNoise, noiseInput } from '../../bottleneck/gaussian/train.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { CONCEPTS } from '../../scenes/concepts.ts';
import { syntheticWorld } from '../../scenes/testdata/synthetic.ts';
import { floats } from '../../tensor/tensor.ts';
import { trainingArgumentsSchema } from '../arguments.ts';
import type { TrainTask } from '../trainer.ts';
import { tuneTrainingSchema } from './arguments.ts';
import { llavaFileTask } from './file-task.ts';
import { methodOf } from './method.ts';
import { llavaSceneTask } from './scene-chat-task.ts';
import { scenePretrainTask } from './scene-pretrain.ts';
import { sceneLlavaSource } from './scene-source.ts';
import { sceneTuneTask } from './scene-tune.ts';
import { llavaSource } from './source.ts';
import { TINY_RUN, writeTinyData, writeTinyLlava } from './testing/tiny-llava.ts';
import { lossDivisor } from './update-batch.ts';

const runtime = nodeRuntime({ threads: 1 });
const world = syntheticWorld(CONCEPTS.length);
const CHAT = { curriculumSteps: 0, maxObjects: 2, spelled: 0, extra: 0, maxTurns: 3 };
const TINY = { hidden_size: 32, intermediate_size: 48, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1 };
let root: string;
let sceneModel: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-update-'));
  sceneModel = join(root, 'scene-model');
  const task = await scenePretrainTask(runtime, trainingArgumentsSchema.parse({ output_dir: root, per_device_train_batch_size: 2 }), {
    ...{ source: await sceneLlavaSource('scene-clip', TINY), world, chat: CHAT, evalScenes: 1 },
  });
  await task.save(sceneModel);
  await task.close();
});
afterAll(async () => {
  await runtime.release();
  await rm(root, { recursive: true });
});

/** Labels that teach, counted from what the graph is fed: a row's first label has nothing in front that could predict it. */
function supervised({ labels: { shape, data } }: Feeds): number {
  let count = 0;
  for (let b = 0; b < shape[0]; b++) for (let t = 1; t < shape[1]; t++) if (Number(data[b * shape[1] + t]) !== -100) count++;
  return count;
}

const weights = ({ parameters }: Pick<TrainTask, 'parameters'>): Feeds =>
  Object.fromEntries(parameters.map(p => [p.name, floats(p.shape, p.data)]));

/** What every batch of an update must be fed besides its rows. */
function expectPlace(batch: Feeds, bottleneck: BottleneckConfig, want: { samples: number[]; seed: number; update: number; steps: number }) {
  const [layer] = bottleneck.bottleneck_layers;
  const { data, shape } = batch[noiseInput(layer)];
  const noise = bottleneckNoise(bottleneck, { samples: want.samples, length: shape[1], width: shape[2] }, want.seed, want.update);
  expect(shape).toEqual([want.samples.length, batch.labels.shape[1], shape[2]]);
  expect(data).toEqual(noise[noiseInput(layer)].data);
  expect(batch[ALPHA_INPUT].data[0]).toBeCloseTo(alphaAt(bottleneck, want.update, want.steps), 6);
}

describe('lossDivisor', () => {
  it('is the supervised tokens of an update over its micro-batches, below 1 too', () => {
    expect(lossDivisor([3, 9, 0, 8]).data[0]).toBe(5);
    expect(lossDivisor([1, 0, 0, 0]).data[0]).toBe(0.25);
    expect(lossDivisor([7]).data[0]).toBe(7);
  });

  it('is no zero where nothing is supervised', () => {
    expect(lossDivisor([0, 0]).data[0]).toBe(1);
  });
});

describe('an update of scenes', () => {
  async function task(accumulation: number, steps = 6) {
    const source = await llavaSource(sceneModel);
    const args = tuneTrainingSchema.parse({ output_dir: root, method: 'vittle', seed: 5, bottleneck_layer: [0] });
    const method = methodOf(args, source.entries.keys(), 2);
    const training = trainingArgumentsSchema.parse({
      ...{ output_dir: root, per_device_train_batch_size: 2, gradient_accumulation_steps: accumulation, max_steps: steps, seed: 5 },
    });
    return {
      bottleneck: method.bottleneck!,
      task: await sceneTuneTask(runtime, training, { source, world, chat: CHAT, method }, async () => {}),
    };
  }

  it('has the noise of its samples, numbered through', async () => {
    const { bottleneck, task: cut } = await task(3);
    // Micro-step 7 of three a piece: the second of update 2.
    expectPlace(await cut.batch(7), bottleneck, { samples: [2, 3], seed: 5, update: 2, steps: 6 });
    expectPlace(await cut.batch(0), bottleneck, { samples: [0, 1], seed: 5, update: 0, steps: 6 });
    await cut.close();
  });

  it('weighs every supervised token alike, whatever micro-batch it is in', async () => {
    const { task: cut } = await task(3);
    const [micro, counts] = [[] as Feeds[], [] as number[]];
    for (let step = 3; step < 6; step++) micro.push(await cut.batch(step));
    for (const batch of micro) counts.push(supervised(batch));
    const all = counts.reduce((a, b) => a + b);
    expect(new Set(counts).size).toBeGreaterThan(1);
    let [averaged, summed] = [0, 0];
    for (const batch of micro) {
      expect(batch.loss_divisor.data[0]).toBeCloseTo(all / 3, 4);
      const feeds = { ...cut.feeds(), ...batch };
      // The trainer's mean over micro-batches, against each one's loss summed by its own count.
      averaged += Number((await cut.graph.run(feeds)).ce.data[0]) / 3;
      summed += Number((await cut.graph.run({ ...feeds, loss_divisor: floats([], [1]) })).ce.data[0]);
    }
    expect(averaged).toBeGreaterThan(0.1);
    expect(averaged).toBeCloseTo(summed / all, 4);
    await cut.close();
  });

  it('is so in pre-training too', async () => {
    const args = trainingArgumentsSchema.parse({ output_dir: root, per_device_train_batch_size: 2, gradient_accumulation_steps: 2 });
    const source = await sceneLlavaSource('scene-clip', TINY);
    const pretrain = await scenePretrainTask(runtime, args, { source, world, chat: CHAT, evalScenes: 1 });
    const [a, b] = [await pretrain.batch(4), await pretrain.batch(5)];
    expect(supervised(a)).not.toBe(supervised(b));
    for (const { loss_divisor } of [a, b]) expect(loss_divisor.data[0]).toBe((supervised(a) + supervised(b)) / 2);
    await pretrain.close();
  });
});

describe('pre-training on scenes', () => {
  const args = trainingArgumentsSchema.parse({ output_dir: 'none', per_device_train_batch_size: 2 });
  const task = async (patchWords: boolean) =>
    scenePretrainTask(runtime, args, {
      source: await sceneLlavaSource('scene-clip', TINY),
      world,
      chat: { ...CHAT, patchWords },
      evalScenes: 1,
    });

  it('adds the words of patches to the loss where they are asked for, and trains all but the tower', async () => {
    const [plain, aligned] = [await task(false), await task(true)];
    const [a, b] = await Promise.all([plain, aligned].map(async one => one.graph.run({ ...weights(one), ...(await one.batch(0)) })));
    expect(a.auxiliary).toBeUndefined();
    expect(a.loss.data[0]).toBe(a.ce.data[0]);
    expect(Number(b.auxiliary.data[0])).toBeGreaterThan(0.1);
    expect(b.loss.data[0]).toBeCloseTo(Number(b.ce.data[0]) + Number(b.auxiliary.data[0]), 4);
    for (const { parameters } of [plain, aligned]) {
      expect(parameters.some(p => p.name.includes('projector'))).toBe(true);
      expect(parameters.some(p => p.name.includes('language_model'))).toBe(true);
      expect(parameters.filter(p => p.name.includes('vision_tower'))).toEqual([]);
    }
    await plain.close();
    await aligned.close();
  });
});

describe('tuning on scenes', () => {
  it('counts the tokens that it was fed', async () => {
    const args = { output_dir: root, model: sceneModel, per_device_train_batch_size: 2, eval_samples: 1 };
    const task = await llavaSceneTask(runtime, tuneTrainingSchema.parse(args), { styles: ['noto'] });
    expect(task.tokens()).toBe(0);
    let shown = 0;
    for (const step of [0, 1]) for (const one of (await task.batch(step)).attention_mask.data) shown += Number(one);
    expect(shown).toBeGreaterThan(100);
    expect(task.tokens()).toBe(shown);
    await task.close();
  });
});

describe('an update of a file', () => {
  it('has the noise of its samples, numbered through, and one divisor', async () => {
    const model = await writeTinyLlava(join(root, 'model'));
    const { path } = await writeTinyData(root, 40);
    const run = { ...TINY_RUN, model, data_path: path, output_dir: root, method: 'vittle', seed: 5, max_steps: 6 };
    const cut = await llavaFileTask(
      runtime,
      tuneTrainingSchema.parse({ ...run, per_device_train_batch_size: 2, gradient_accumulation_steps: 3 }),
    );
    const micro: Feeds[] = [];
    for (let step = 6; step < 9; step++) micro.push(await cut.batch(step));
    const counts = micro.map(supervised);
    for (const [i, batch] of micro.entries()) {
      expectPlace(batch, cut.method.bottleneck!, { samples: [2 * i, 2 * i + 1], seed: 5, update: 2, steps: 6 });
      expect(batch.loss_divisor.data[0]).toBeCloseTo(counts.reduce((a, b) => a + b) / 3, 4);
    }
    await cut.close();
  });
});

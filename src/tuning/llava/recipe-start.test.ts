import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LlavaModel } from '../../models/pretrained.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { CONCEPTS } from '../../scenes/concepts.ts';
import { syntheticWorld } from '../../scenes/testdata/synthetic.ts';
import { floats, ints } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { trainingArgumentsSchema } from '../arguments.ts';
import { train } from '../trainer.ts';
import { type PretrainSettings, scenePretrainTask } from './scene-pretrain.ts';
import { type SceneLlavaSource, sceneLlavaSource } from './scene-source.ts';

const runtime = nodeRuntime({ threads: 1 });
const world = syntheticWorld(CONCEPTS.length);
const TINY = { hidden_size: 32, intermediate_size: 48, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 2 };
const CHAT = { curriculumSteps: 0, maxObjects: 2, spelled: 0, extra: 0, maxTurns: 2, everyThing: true };
const DECODER = { scale: {}, sink: {}, match: {} };
let root: string;
let source: SceneLlavaSource;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-recipe-'));
  source = await sceneLlavaSource('scene-clip', { ...TINY, rope_theta: 1e6 });
});
afterAll(async () => {
  await runtime.release();
  await rm(root, { recursive: true });
});

const args = (name: string) =>
  trainingArgumentsSchema.parse({
    ...{ output_dir: join(root, name), per_device_train_batch_size: 2, max_steps: 2, save_steps: 2, eval_steps: 4 },
    ...{ learning_rate: 3e-3, optim: 'muon', num_threads: 1, seed: 2 },
  });
const task = (name: string, more: Partial<PretrainSettings> = {}) =>
  scenePretrainTask(runtime, args(name), { source, world, chat: CHAT, evalScenes: 1, whiten: { scenes: 30 }, ...more });
const copies = ({ parameters }: { parameters: readonly { name: string; data: Float32Array }[] }): Map<string, Float32Array> =>
  new Map(parameters.map(({ name, data }) => [name, data.slice()]));

describe('a pre-training from a started decoder', () => {
  it('moves each group by its rate, saves a plain model of the same logits, and another run goes on from its very numbers', async () => {
    const rates = { matching: 0, projector: 0, norm: 0 };
    const one = await task('one', { decoder: DECODER, rates });
    const before = copies(one);
    await train(one, args('one'));
    for (const { name, data } of one.parameters) {
      const was = before.get(name)!;
      const still = name.includes('projector') || name === 'model.language_model.norm.weight';
      // Head 0 is the first 16 rows of 32 numbers.
      const cut = /\.[qk]_proj\./.test(name) ? 16 * 32 : still ? data.length : 0;
      expect(data.subarray(0, cut), name).toEqual(was.subarray(0, cut));
      if (cut < data.length) expect(data.subarray(cut), name).not.toEqual(was.subarray(cut));
    }
    const trained = copies(one);
    const next = await task('next', { from: join(root, 'one/checkpoint-2'), decoder: DECODER, chat: { ...CHAT, tasks: ['existence'] } });
    expect(copies(next)).toEqual(trained);
    // Every answer is yes or no, and its end.
    const { labels } = await next.batch(0);
    expect(new Set(labels.data as Int32Array).size).toBeLessThanOrEqual(4);
    expect(new Set((await one.batch(0)).labels.data as Int32Array).size).toBeGreaterThan(4);
    const [whole, directory] = [await one.batch(5), join(root, 'model')];
    await one.saveModel(directory);
    const { ce } = await one.graph.run({ ...Object.fromEntries(one.parameters.map(p => [p.name, floats(p.shape, p.data)])), ...whole });
    const model = await LlavaModel.fromPretrained(directory, { runtime });
    const ids = Int32Array.from(whole.input_ids.data as Int32Array, (id, i) =>
      Number(whole.modality.data[i]) === 2 ? source.config.image_token_index : id,
    );
    const { logits } = await model.forward({
      inputIds: ints(whole.labels.shape, ids),
      attentionMask: whole.attention_mask,
      pixelValues: whole.pixel_values as ReturnType<typeof floats>,
    });
    expectClose(
      [crossEntropyOf(logits.data as Float32Array, whole.labels.data as Int32Array, whole.labels.shape)],
      ce.data as Float32Array,
      {
        ...{ rtol: 1e-5, atol: 0 },
      },
    );
    await model.release();
    for (const opened of [one, next]) await opened.close();
  });

  it('says why it cannot go on from a directory', async () => {
    const plain = join(root, 'one/checkpoint-2');
    await expect(task('x', { from: plain, whiten: undefined })).rejects.toThrow('was trained with a whitened projector input');
    const wider = await sceneLlavaSource('scene-clip', { ...TINY, num_hidden_layers: 3 });
    await expect(task('x', { from: plain, source: wider })).rejects.toThrow(
      /one\/checkpoint-2: the tensor ".*layers\.2\..*" is missing, where/,
    );
  });
});

/** Mean over supervised tokens, nats. */
function crossEntropyOf(logits: Float32Array, labels: Int32Array, [rows, length]: readonly number[]): number {
  const vocabulary = logits.length / labels.length;
  let [sum, count] = [0, 0];
  for (let at = 0; at < rows * length; at++) {
    if (at % length === length - 1 || labels[at + 1] === -100) continue;
    const row = logits.subarray(at * vocabulary, (at + 1) * vocabulary);
    const most = row.reduce((a, b) => Math.max(a, b));
    sum += most + Math.log(row.reduce((total, v) => total + Math.exp(v - most), 0)) - row[labels[at + 1]];
    count++;
  }
  return sum / count;
}

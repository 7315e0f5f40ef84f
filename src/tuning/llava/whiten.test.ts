import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile, input } from '../../graph/index.ts';
import { imageTokens, towerWidth } from '../../models/llava/config.ts';
import { pixelInput, tokenInputs } from '../../models/llava/files.ts';
import { forwardFeatures, towerFeatures } from '../../models/llava/forward.ts';
import { LlavaModel } from '../../models/pretrained.ts';
import { frozenParameters, trainableParameters } from '../../nn/parameters.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { CONCEPTS } from '../../scenes/concepts.ts';
import { syntheticWorld } from '../../scenes/testdata/synthetic.ts';
import { RandomStream } from '../../tensor/random.ts';
import { floats, ints } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { trainingArgumentsSchema } from '../arguments.ts';
import { train } from '../trainer.ts';
import { scenePretrainTask } from './scene-pretrain.ts';
import { type SceneLlavaSource, sceneLlavaSource } from './scene-source.ts';
import { foldWhitening, measureWhitening, whitened, whiteningOf } from './whiten.ts';
import { UNFOLDED } from './whiten-files.ts';

const runtime = nodeRuntime({ threads: 1 });
const world = syntheticWorld(CONCEPTS.length);
const CHAT = { curriculumSteps: 0, maxObjects: 2, spelled: 0, extra: 0, maxTurns: 2 };
const TINY = { hidden_size: 32, intermediate_size: 48, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1 };
const WHITEN = { scenes: 30 };
let root: string;
let source: SceneLlavaSource;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-whiten-'));
  source = await sceneLlavaSource('scene-clip', TINY);
});
afterAll(async () => {
  await runtime.release();
  await rm(root, { recursive: true });
});

/** Rows of two layers of three columns, whose variances lie decades apart and whose columns go together. */
function rows(count: number) {
  const x = new RandomStream(3, 'rows').normals(0, 0, new Float32Array(count * 6));
  for (let i = 0; i < count; i++) {
    const at = x.subarray(6 * i, 6 * i + 6);
    at.set([at[0] + 5, 0.9 * at[0] + 0.01 * at[1], at[2] * 0.1 - 1, 40 * at[3], 40 * at[3] + at[4], at[5] + at[4]]);
  }
  return floats([count, 6], x);
}

describe('whitening', () => {
  it('gives each layer mean 0 and unit covariance, and leaves layers to themselves', async () => {
    const data = rows(4000);
    const whitening = whiteningOf(data, 2, 1e-9);
    await using graph = await compile(runtime, { z: whitened(input('x', ['n', 6]), whitening) });
    const z = (await graph.run({ x: data })).z.data as Float32Array;
    for (let i = 0; i < 6; i++) {
      let mean = 0;
      for (let n = 0; n < 4000; n++) mean += z[6 * n + i] / 4000;
      expect(Math.abs(mean)).toBeLessThan(1e-3);
      for (let j = 0; j < 6; j++) {
        let product = 0;
        for (let n = 0; n < 4000; n++) product += (z[6 * n + i] * z[6 * n + j]) / 3999;
        if (i < 3 === j < 3) expect(Math.abs(product - (i === j ? 1 : 0)), `${i} ${j}`).toBeLessThan(2e-3);
        expect(i < 3 !== j < 3 && whitening.transform[6 * i + j] !== 0).toBe(false);
      }
    }
  });

  it('does not blow up a direction without variance', () => {
    const flat = floats([3, 1], [2, 2, 2]);
    expect(whiteningOf(flat, 1, 1e-4).transform[0]).toBeCloseTo(100, 6);
  });

  it('folds into the layer behind it', () => {
    const data = rows(500);
    const whitening = whiteningOf(data, 2, 1e-5);
    const [weight, bias] = [6, 7].map(step => new RandomStream(3, 'layer').normals(step, 0, new Float32Array(step === 6 ? 24 : 4)));
    const plain = foldWhitening({ weight, bias }, whitening);
    const x = data.data.slice(0, 6) as Float32Array;
    for (let o = 0; o < 4; o++) {
      let [before, after] = [bias[o], plain.bias[o]];
      for (let k = 0; k < 6; k++) {
        let z = 0;
        for (let i = 0; i < 6; i++) z += (x[i] - whitening.mean[i]) * whitening.transform[6 * i + k];
        before += weight[6 * o + k] * z;
        after += plain.weight[6 * o + k] * x[k];
      }
      expect(after).toBeCloseTo(before, 3);
    }
  });
});

describe('pre-training on whitened features', () => {
  const args = (name: string, steps: number) =>
    trainingArgumentsSchema.parse({
      ...{ output_dir: join(root, name), per_device_train_batch_size: 2, max_steps: steps, save_steps: 2, eval_steps: 4 },
      ...{ learning_rate: 3e-3, optim: 'muon', num_threads: 1, seed: 2 },
    });
  const task = (name: string, steps: number, whiten = true) =>
    scenePretrainTask(runtime, args(name, steps), { source, world, chat: CHAT, evalScenes: 2, whiten: whiten ? WHITEN : undefined });

  it('saves a plain model with the logits of the one that is trained', async () => {
    const one = await task('plain', 4);
    await train(one, args('plain', 4));
    const directory = join(root, 'model');
    await one.saveModel(directory);
    expect((await readdir(directory)).filter(name => name.endsWith('.safetensors'))).toEqual(['model.safetensors']);
    const whitening = await measureWhitening(runtime, source, world, CHAT.maxObjects, WHITEN);
    const tower = frozenParameters(source.tower, 'the tower');
    const features = whitened(towerFeatures(tower, source.config, pixelInput(source.config)), whitening);
    await using graph = await compile(runtime, {
      logits: forwardFeatures(trainableParameters(), source.config, tokenInputs(), features).logits,
    });
    const { labels, loss_divisor: _, ...batch } = await one.batch(9);
    const weights = Object.fromEntries(one.parameters.map(p => [p.name, floats(p.shape, p.data)]));
    const trained = (await graph.run({ ...weights, ...batch })).logits;
    const model = await LlavaModel.fromPretrained(directory, { runtime });
    const ids = Int32Array.from(batch.input_ids.data as Int32Array, (id, i) =>
      Number(batch.modality.data[i]) === 2 ? source.config.image_token_index : id,
    );
    const { logits } = await model.forward({
      inputIds: ints(labels.shape, ids),
      attentionMask: batch.attention_mask,
      pixelValues: batch.pixel_values as ReturnType<typeof floats>,
    });
    const most = (trained.data as Float32Array).reduce((top, v) => Math.max(top, Math.abs(v)), 0);
    expect(most).toBeGreaterThan(0.1);
    expectClose(logits.data, trained.data as Float32Array, { rtol: 0, atol: 1e-5 * most });
    expect(towerWidth(source.config)).toBe(whitening.mean.length);
    expect(imageTokens(source.config)).toBe(64);
    await model.release();
    await one.close();
  });

  it('goes on from a checkpoint in the bits of a run that was not stopped, and not otherwise than it began', async () => {
    const [first, second] = [await task('part', 4), await task('part', 4)];
    const stop = new AbortController();
    const stopped = await train(first, args('part', 4), { signal: stop.signal, onStep: step => step === 2 && stop.abort() });
    expect(stopped).toEqual({ step: 2, finished: false });
    expect(await readdir(join(root, 'part/checkpoint-2'))).toContain(UNFOLDED);
    await train(second, args('part', 4));
    for (const name of ['model.safetensors', UNFOLDED, 'optimizer.safetensors'])
      expect(
        (await readFile(join(root, 'part/checkpoint-4', name))).equals(await readFile(join(root, 'plain/checkpoint-4', name))),
        name,
      ).toBe(true);
    const other = await task('part', 6, false);
    await expect(train(other, args('part', 6))).rejects.toThrow(
      /was trained with a whitened projector input; go on with the same "whiten"/,
    );
    for (const one of [first, second, other]) await one.close();
  });
});

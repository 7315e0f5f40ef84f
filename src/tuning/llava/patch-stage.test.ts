import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFloats } from '../../checkpoints/safetensors.ts';
import { compile, grad, input } from '../../graph/index.ts';
import { trainableParameters } from '../../nn/parameters.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { chatTokenId } from '../../scenes/chat-tokenizer.ts';
import { CONCEPTS } from '../../scenes/concepts.ts';
import { patchOwners } from '../../scenes/patch-labels.ts';
import { drawScene } from '../../scenes/scene.ts';
import { syntheticWorld } from '../../scenes/testdata/synthetic.ts';
import { RandomStream } from '../../tensor/random.ts';
import { floats, ints } from '../../tensor/tensor.ts';
import { trainingArgumentsSchema } from '../arguments.ts';
import { train } from '../trainer.ts';
import { patchExam } from './patch-exam.ts';
import { NAMING_WORDS } from './patch-labels.ts';
import { PATCH_STAGE_LOSS, patchLoss } from './patch-loss.ts';
import { patchPlaces, placeDirections } from './patch-places.ts';
import { PATCH_STAGE, type PatchStageSettings, patchStageTask, withTower } from './patch-stage.ts';
import { scenePretrainTask } from './scene-pretrain.ts';
import { type SceneLlavaSource, sceneLlavaSource } from './scene-source.ts';
import { compileTower, encodeImages } from './scene-task.ts';

const runtime = nodeRuntime({ threads: 1 });
const world = syntheticWorld(CONCEPTS.length);
const TINY = { hidden_size: 32, intermediate_size: 48, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1 };
const CHAT = { curriculumSteps: 0, maxObjects: 2, spelled: 0, extra: 0, maxTurns: 2 };
let root: string;
let source: SceneLlavaSource;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-patches-'));
  source = await sceneLlavaSource('scene-clip', TINY);
});
afterAll(async () => {
  await runtime.release();
  await rm(root, { recursive: true });
});

const dot = (x: ArrayLike<number>, y: ArrayLike<number>): number => Array.from(x).reduce((sum, v, i) => sum + v * y[i], 0);

describe('the loss of patches', () => {
  it('knows column and row, and two directions that have nothing of each other', () => {
    const places = patchPlaces(source.config, 3);
    expect([...places.subarray(0, 2)]).toEqual([-3, -3]);
    expect([...places.subarray(14, 16)]).toEqual([3, -3]);
    expect([...places.subarray(126)]).toEqual([3, 3]);
    const d = placeDirections(40);
    const [a, b] = [d.subarray(0, 40), d.subarray(40)];
    expect(dot(a, a)).toBeCloseTo(1, 6);
    expect(dot(b, b)).toBeCloseTo(1, 6);
    expect(dot(a, b)).toBeCloseTo(0, 6);
  });

  it('is over all words, or over those of things and colours: then other words get no gradient', async () => {
    const args = trainingArgumentsSchema.parse({ output_dir: join(root, 'names'), per_device_train_batch_size: 2, num_threads: 1 });
    const TABLE = 'model.language_model.embed_tokens.weight';
    for (const amongNames of [true, false]) {
      const task = await patchStageTask(runtime, args, { source, world, maxObjects: 2, loss: { ...PATCH_STAGE_LOSS, amongNames } });
      const gradientOf = async (fill?: number) => {
        const weights = task.parameters.map(({ name, shape, data }) => [
          name,
          floats(shape, name === TABLE && fill === 0 ? data.map(() => 0) : data),
        ]);
        return task.graph.run({ ...Object.fromEntries(weights), ...(await task.batch(0)) });
      };
      // A table that says nothing: any word is as likely as any other.
      const words = amongNames ? NAMING_WORDS.length : source.config.text_config.vocab_size;
      expect(Number((await gradientOf(0)).patch_word.data[0])).toBeCloseTo(Math.log(words), 4);
      const gradient = (await gradientOf())[`grad.${TABLE}`].data;
      const moved = (id: number): boolean => gradient.slice(32 * id, 32 * id + 32).some(v => v !== 0);
      expect(moved(chatTokenId('dog'))).toBe(true);
      expect(moved(chatTokenId('yes'))).toBe(!amongNames);
      await task.close();
    }
  });

  it('is nothing where each patch is its word and stands where it is, and each term is what is asked', async () => {
    const width = 32;
    const vocabulary = source.config.text_config.vocab_size;
    const d = placeDirections(width);
    const [x, y] = [d.subarray(0, width), d.subarray(width)];
    const where = patchPlaces(source.config, 0.5);
    // Rows of the table that know nothing of the two directions; each patch is that of its label and its place, of root mean square 1.
    const table = new RandomStream(2, 'table').normals(0, 0, new Float32Array(vocabulary * width));
    for (let v = 0; v < vocabulary; v++) {
      const r = table.subarray(v * width, (v + 1) * width);
      const [alongX, alongY] = [dot(r, x), dot(r, y)];
      for (let i = 0; i < width; i++) r[i] -= alongX * x[i] + alongY * y[i];
      const size = Math.sqrt(dot(r, r));
      for (let i = 0; i < width; i++) r[i] *= 40 / size;
    }
    const word = (k: number): number => (k % 2 ? chatTokenId('dog') : chatTokenId('red'));
    const patches = new Float32Array(64 * width);
    for (let k = 0; k < 64; k++) {
      const row = table.subarray(word(k) * width, (word(k) + 1) * width);
      const [atX, atY] = [where[2 * k], where[2 * k + 1]];
      const rest = Math.sqrt(width - atX ** 2 - atY ** 2) / 40;
      for (let i = 0; i < width; i++) patches[k * width + i] = rest * row[i] + atX * x[i] + atY * y[i];
    }
    const labels = (odd: boolean) =>
      ints(
        [1, 64],
        Int32Array.from({ length: 64 }, (_, k) => ((k % 2 === 1) === odd ? word(k) : -100)),
      );
    const p = trainableParameters();
    const settings = { ...PATCH_STAGE_LOSS, weight: 3, amplitude: 0.5 };
    const { loss, terms } = patchLoss(p, source.config, input('patches', ['images', 64, width]), settings);
    await using graph = await compile(runtime, { loss, ...terms });
    const feeds = {
      'model.language_model.embed_tokens.weight': floats([vocabulary, width], table),
      'model.language_model.norm.weight': floats([width], new Float32Array(width).fill(1)),
      ...{ patch_words: labels(true), patch_colors: labels(false) },
    };
    const right = await graph.run({ ...feeds, patches: floats([1, 64, width], patches) });
    for (const name of ['patch_word', 'patch_background', 'patch_place']) expect(Number(right[name].data[0]), name).toBeLessThan(1e-4);
    // Patches the other way round: words as before, places mirrored. The mean squared error is then four times the variance.
    const turned = patches.map((_, i) => patches[(63 - Math.floor(i / width)) * width + (i % width)]);
    const wrong = await graph.run({ ...feeds, patches: floats([1, 64, width], turned) });
    expect(wrong.patch_place.data[0]).toBeCloseTo(4, 3);
    const [a, b, c] = ['patch_word', 'patch_background', 'patch_place'].map(name => Number(wrong[name].data[0]));
    expect(a).toBeGreaterThan(1);
    expect(Number(wrong.loss.data[0]) / (3 * (a + 0.2 * b + c))).toBeCloseTo(1, 5);
  });

  it('reaches projector, table and norm', async () => {
    const p = trainableParameters();
    const { loss } = patchLoss(p, source.config, input('patches', ['images', 64, 32]), PATCH_STAGE_LOSS);
    expect(grad(loss, [...p.all.values()])).toHaveLength(2);
  });
});

const args = (name: string, steps: number) =>
  trainingArgumentsSchema.parse({
    ...{ output_dir: join(root, name), per_device_train_batch_size: 8, max_steps: steps, save_steps: 5, eval_steps: 5, logging_steps: 1 },
    ...{ learning_rate: 0.01, num_threads: 1, seed: 2 },
  });
const stage = (name: string, steps: number, more: Partial<PatchStageSettings> = {}) =>
  patchStageTask(runtime, args(name, steps), { source, world, maxObjects: 2, whiten: { scenes: 40 }, ...more });

describe('the stage on patches', () => {
  it('has the words of things and backgrounds of the scenes it draws', async () => {
    const one = await stage('labels', 1);
    const { patch_words: words, patch_colors: colors, pixel_values } = await one.batch(4);
    expect(pixel_values.shape).toEqual([8, 3, 96, 96]);
    const scene = drawScene(
      world,
      { width: 96, height: 96, minObjects: 1, maxObjects: 2 },
      new RandomStream(2, 'patch.scenes').reader(4, 7),
    );
    const owners = patchOwners(scene, 12);
    for (const [k, owner] of owners.entries()) {
      expect(Number(colors.data[7 * 64 + k])).toBe(owner < 0 ? chatTokenId(scene.background.color) : -100);
      expect(Number(words.data[7 * 64 + k]) === -100).toBe(owner < 0);
    }
    expect(owners.some(owner => owner >= 0)).toBe(true);
    await one.close();
  });

  it('learns, trains only projector, table and norm, and ends in the bits of a run that was not stopped', async () => {
    const figures: Record<string, number>[] = [];
    const whole = await stage('whole', 20, { evalScenes: 40 });
    await train(whole, args('whole', 20), { onLog: (_, metrics) => figures.push(metrics as Record<string, number>) });
    expect(whole.parameters.map(p => p.name).sort()).toEqual([
      'model.language_model.embed_tokens.weight',
      'model.language_model.norm.weight',
      ...['linear_1.bias', 'linear_1.weight', 'linear_2.bias', 'linear_2.weight'].map(name => `model.multi_modal_projector.${name}`),
    ]);
    const losses = figures.filter(line => 'loss' in line);
    expect(losses.at(-1)!.loss).toBeLessThan(losses[0].loss - 0.7);
    const exams = figures.filter(line => 'eval_patch_place' in line);
    expect(exams.at(-1)!.eval_patch_place).toBeGreaterThan(exams[0].eval_patch_place);
    expect(exams.at(-1)!.eval_patch_background).toBeGreaterThan(0.2);
    const [first, second] = [await stage('part', 20), await stage('part', 20)];
    const stop = new AbortController();
    await train(first, args('part', 20), { signal: stop.signal, onStep: step => step === 7 && stop.abort() });
    await train(second, args('part', 20));
    const weights = (name: string) => readFile(join(root, name, 'checkpoint-20', PATCH_STAGE));
    expect((await weights('part')).equals(await weights('whole'))).toBe(true);
    for (const one of [whole, first, second]) await one.close();
  });

  it('trains the tower too where that is asked for, from the one of the CLIP, and gives a source of it', async () => {
    const one = await stage('tower', 3, { tower: 0.5, loss: { ...PATCH_STAGE_LOSS, position: 0, things: 1 } });
    const name = 'model.vision_tower.vision_model.embeddings.position_embedding.weight';
    const before = await readFloats(source.tower.get(name)!);
    const parameter = one.parameters.find(p => p.name === name)!;
    expect(parameter.data).toEqual(before);
    expect(
      one.groups?.map(({ matches, factor }) => [matches(name), matches('model.multi_modal_projector.linear_1.weight'), factor]),
    ).toEqual([[true, false, 0.5]]);
    await train(one, args('tower', 3));
    const trained = await withTower(source, join(root, 'tower/checkpoint-3'));
    const after = await readFloats(trained.tower.get(name)!);
    expect(after).toEqual(parameter.data);
    const moved = Math.max(...after.map((v, i) => Math.abs(v - before[i])));
    expect(moved).toBeGreaterThan(0.001);
    // AdamW's first steps are the rate: .01 × .5 × 3, warmed up.
    expect(moved).toBeLessThan(0.016);
    expect([...trained.tower.keys()]).toEqual([...source.tower.keys()]);
    // The next stage reads what the trained tower gives.
    const features = async (from: SceneLlavaSource) => {
      const graph = await compileTower(runtime, from);
      const scene = drawScene(world, { minObjects: 1, maxObjects: 2 }, new RandomStream(2, 'one').reader(0, 0));
      const { data } = await encodeImages(graph, from, [Uint8Array.from(scene.image.data)]);
      await graph.release();
      return data;
    };
    expect(await features(trained)).not.toEqual(await features(source));
    await one.close();
    await expect(withTower(source, join(root, 'whole/checkpoint-20'))).rejects.toThrow('the stage on patches there trained no tower');
  });

  it('is where a pre-training starts from, of the same whitening and shape', async () => {
    const start = join(root, 'whole/checkpoint-20');
    const pretrain = (whiten: object | undefined, from = source) =>
      scenePretrainTask(runtime, trainingArgumentsSchema.parse({ output_dir: join(root, 'pre'), per_device_train_batch_size: 2 }), {
        ...{ source: from, world, chat: CHAT, evalScenes: 1, whiten, start, patches: { ...PATCH_STAGE_LOSS, weight: 0.3 } },
      });
    const one = await pretrain({ scenes: 40 });
    const again = await stage('whole', 20);
    await train(again, args('whole', 20));
    for (const { name, data } of again.parameters) expect(one.parameters.find(p => p.name === name)!.data, name).toEqual(data);
    const weights = Object.fromEntries(one.parameters.map(p => [p.name, floats(p.shape, p.data)]));
    const out = await one.graph.run({ ...weights, ...(await one.batch(0)) });
    expect(Number(out.auxiliary.data[0])).toBeGreaterThan(0.1);
    expect(Number(out.loss.data[0])).toBeCloseTo(Number(out.ce.data[0]) + Number(out.auxiliary.data[0]), 4);
    await expect(pretrain(undefined)).rejects.toThrow(
      'was trained with "whiten" {"scenes":40}, but the pre-training has null; give both the same.',
    );
    const wide = await sceneLlavaSource('scene-clip', { ...TINY, hidden_size: 48, num_attention_heads: 3 });
    await expect(pretrain({ scenes: 40 }, wide)).rejects.toThrow(/of shape \[.*32.*\] does not fit the model/);
    await one.close();
    await again.close();
  });
});

describe('the exam of patches', () => {
  it('is 1 for patches that say all, and counts things apart', async () => {
    const where = patchPlaces(source.config);
    const vocabulary = 5;
    const [words, colors] = [3, -100].map(label => Int32Array.from({ length: 64 }, (_, k) => (k < 10 ? label : label === 3 ? -100 : 4)));
    const logits = new Float32Array(64 * vocabulary);
    // Right for all things but one, and for every background.
    for (let k = 0; k < 64; k++) logits[k * vocabulary + (k === 0 ? 1 : k < 10 ? 3 : 4)] = 1;
    const answer = (places: Float32Array) => ({
      run: async () => ({ logits: floats([1, 64, vocabulary], logits), places: floats([1, 64, 2], places) }),
    });
    const feeds = { patch_words: ints([1, 64], words), patch_colors: ints([1, 64], colors) };
    const figures = async (places: Float32Array) => {
      const graph = answer(places) as unknown as Parameters<typeof patchExam>[2]['graph'];
      const exam = patchExam(
        source.config,
        [
          { key: 'a', feeds },
          { key: 'b', feeds },
        ],
        { graph, weights: {} },
      );
      return exam.figures([await exam.batches[0].compute(), await exam.batches[1].compute()]);
    };
    expect(await figures(where)).toEqual({
      ...{ eval_patch_words: 0.9, eval_patch_background: 1, eval_patch_place: 1, eval_patch_place_things: 1 },
    });
    const centre = await figures(new Float32Array(128));
    expect(centre.eval_patch_place).toBeCloseTo(0, 6);
    expect(centre.eval_patch_place_things).toBeLessThan(-1);
  });
});

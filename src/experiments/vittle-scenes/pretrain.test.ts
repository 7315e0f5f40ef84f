import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readFloats } from '../../checkpoints/safetensors.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { CONCEPTS } from '../../scenes/concepts.ts';
import { syntheticWorld } from '../../scenes/testdata/synthetic.ts';
import { PATCH_STAGE } from '../../tuning/llava/patch-stage.ts';
import { compileTower, towerOf } from '../../tuning/llava/scene-task.ts';
import { llavaSource } from '../../tuning/llava/source.ts';
import { TowerCache } from '../../tuning/llava/tower-cache.ts';
import { UNFOLDED } from '../../tuning/llava/whiten-files.ts';
import { conditionOf } from './conditions.ts';
import { pretrain } from './pretrain.ts';
import { recipeShape } from './pretrain-settings.ts';
import { runExperiment } from './run.ts';
import { type ExperimentSettings, experimentSchema } from './settings.ts';
import { conditionArguments, conditionTask } from './tune.ts';

const runtime = nodeRuntime({ threads: 1 });
const world = syntheticWorld(CONCEPTS.length);
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-pretrain-'));
});
afterAll(async () => {
  await runtime.release();
  await rm(root, { recursive: true });
});

const settings = (name: string): ExperimentSettings =>
  experimentSchema.parse({
    ...{ start: join(root, name), pretrain_steps: 3, batch_size: 2, scenes: 2 },
    ...{ pretrain_isolated_turns: true, pretrain_whiten_scenes: 40, pretrain_patch_steps: 2, pretrain_existence_steps: 2 },
    ...{
      pretrain_scale: true,
      pretrain_sink: true,
      pretrain_mark: true,
      pretrain_matching_start: true,
      pretrain_group_rates: true,
      pretrain_batch_size: 1,
    },
    ...{
      pretrain_seed: 5,
      pretrain_patch_names: true,
      pretrain_tower: true,
      pretrain_things: true,
      pretrain_dtype: 'float16',
      pretrain_caption_steps: 2,
    },
  });

describe('pre-training by the whole recipe', () => {
  it('stops and goes on in each part, in the same bits, and writes a plain model', { timeout: 600_000 }, async () => {
    expect(await pretrain(runtime, settings('whole'), world, {})).toBe(true);
    // Step 1 of the stage on patches, step 1 of existence, step 2 of the conversations, step 1 of descriptions.
    for (const stopAt of [1, 1, 2, 1]) {
      const stop = new AbortController();
      const onStep = (step: number, total: number): void => {
        if (step === stopAt && total === stopAt + 1) stop.abort();
      };
      expect(await pretrain(runtime, settings('parts'), world, { signal: stop.signal, onStep })).toBe(false);
    }
    expect(await pretrain(runtime, settings('parts'), world, {})).toBe(true);
    const weights = (name: string) => readFile(join(root, name, 'model.safetensors'));
    expect((await weights('parts')).equals(await weights('whole'))).toBe(true);
    expect(await readdir(join(root, 'whole.patches'))).toContain(PATCH_STAGE);
    expect(await readdir(join(root, 'parts.existence/checkpoint-2'))).toContain(UNFOLDED);
    expect(await readdir(join(root, 'whole.run/checkpoint-3'))).toContain(UNFOLDED);
    expect(await readdir(join(root, 'whole'))).not.toContain(UNFOLDED);
    expect((await llavaSource(join(root, 'whole'))).config.text_config).toMatchObject({
      ...{ hidden_size: 192, num_attention_heads: 3, num_key_value_heads: 3, rope_theta: 1e6 },
    });
    const last = JSON.parse(await readFile(join(root, 'whole/training_args.json'), 'utf8'));
    expect(last).toMatchObject({ from: join(root, 'whole.run'), caption: 1, listing: true, seed: 1_000_008, max_steps: 2 });
    expect(last).not.toHaveProperty('lossAverage');
    const said = JSON.parse(await readFile(join(root, 'whole.run/training_args.json'), 'utf8'));
    expect(said).toMatchObject({
      isolated: true,
      lossAverage: 'turn',
      whiten: { scenes: 40 },
      patches: { weight: 0.3, background: 0.2, position: 0, things: 1, amongNames: true },
      ...{ start: join(root, 'whole.patches'), from: join(root, 'whole.existence') },
      ...{ decoder: { scale: {}, sink: {}, mark: {}, match: {} }, rates: {}, curriculumSteps: 0, per_device_train_batch_size: 1 },
    });
    const before = JSON.parse(await readFile(join(root, 'whole.existence/training_args.json'), 'utf8'));
    expect(before).toMatchObject({ tasks: ['existence'], maxTurns: 8, curriculumSteps: 30, per_device_train_batch_size: 2 });
    expect(before).not.toHaveProperty('from');
    const first = JSON.parse(await readFile(join(root, 'whole.patches/training_args.json'), 'utf8'));
    expect(first.loss).toMatchObject({ weight: 1, things: 1, amongNames: true });
    expect(first.tower).toBe(0.2);
    // The model has the tower that was trained with the patches.
    const name = 'model.vision_tower.vision_model.embeddings.position_embedding.weight';
    const read = async (file: string): Promise<Float32Array> => readFloats((await openSafetensors(join(root, file))).tensors.get(name)!);
    const { entries, json } = await llavaSource(join(root, 'whole'));
    // Stored in half precision: each weight is the nearest one of what was trained.
    expect(entries.get(name)!.dtype).toBe('float16');
    expect(json.dtype).toBe('float16');
    const [kept, exact] = [await readFloats(entries.get(name)!), await read(`whole.patches/${PATCH_STAGE}`)];
    for (let i = 0; i < exact.length; i++) expect(Math.abs(kept[i] - exact[i])).toBeLessThanOrEqual(Math.abs(exact[i]) / 2048 + 1e-7);
    expect([first.seed, before.seed, said.seed]).toEqual([5, 5, 5]);
  });

  it('gives a start that every condition tunes, by isolated turns where they are asked for', { timeout: 120_000 }, async () => {
    const source = await llavaSource(join(root, 'whole'));
    await using tower = await compileTower(runtime, towerOf(source));
    const start = { source, world, tower: new TowerCache(tower) };
    const { beta, alpha_end, bottleneck_layer, weight_decay, ...others } = settings('whole');
    const vittle = conditionOf('vittle-f');
    for (const isolated of [true, false]) {
      const all = { ...others, beta, alpha_end, bottleneck_layer, weight_decay, tune_isolated_turns: isolated };
      const task = await conditionTask(runtime, vittle, conditionArguments(vittle, 0, all, root), start, all, () => {});
      const batch = await task.batch(0);
      expect('turns' in batch).toBe(isolated);
      const out = await task.graph.run({ ...task.feeds(), ...batch });
      expect(Number(out.kl_visual.data[0])).toBeGreaterThan(0);
      await task.close();
    }
  });

  it('ends at the start where nothing else is asked for', async () => {
    const output = join(root, 'only');
    expect(await runExperiment(runtime, output, settings('whole'), { onlyStart: true })).toBe(true);
    expect(await readdir(output)).toEqual(['settings.json']);
  });

  it('refuses a start of what the stage on patches would have taught, without that stage', () => {
    const { pretrain_patch_steps: _, ...without } = settings('whole');
    const { error } = experimentSchema.safeParse(without);
    expect(error?.issues.map(({ path }) => path[0])).toEqual([
      'pretrain_tower',
      'pretrain_things',
      'pretrain_patch_names',
      'pretrain_scale',
      'pretrain_sink',
      'pretrain_mark',
      'pretrain_matching_start',
    ]);
    expect(error?.issues[0].message).toBe('it needs a stage on patches; give "pretrain_patch_steps" too (500 do)');
  });

  it.each(['pretrain_sink', 'pretrain_matching_start'])('refuses a mark of patches without %s, before anything is trained', key => {
    const { error } = experimentSchema.safeParse({ ...settings('whole'), [key]: undefined });
    expect(error?.issues.map(({ path, message }) => [path[0], message])).toEqual([
      ['pretrain_mark', `it needs "${key}"; set that too, or leave the mark out`],
    ]);
    expect(experimentSchema.safeParse({ ...settings('whole'), [key]: undefined, pretrain_mark: undefined }).success).toBe(true);
  });

  it('has a settings file that names every part of the recipe', async () => {
    const file = JSON.parse(await readFile('examples/pretrain-scene-llava.json', 'utf8'));
    expect(experimentSchema.parse(file)).toMatchObject(file);
    expect(Object.keys(file)).toEqual(expect.arrayContaining(Object.keys(recipeShape)));
  });

  it('leaves settings of older experiments as they were written', () => {
    const keys = Object.keys(JSON.parse(JSON.stringify(experimentSchema.parse({ start: 'x' }))));
    expect(keys.filter(key => key.startsWith('pretrain'))).toEqual(['pretrain_steps', 'pretrain_learning_rate']);
    for (const later of ['conditions', 'beta_pass', 'noise_variance', 'smallest_effect']) expect(keys).not.toContain(later);
  });
});

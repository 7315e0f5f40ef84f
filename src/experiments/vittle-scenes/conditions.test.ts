import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BottleneckConfig } from '../../bottleneck/gaussian/config.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { CONCEPTS } from '../../scenes/concepts.ts';
import { syntheticWorld } from '../../scenes/testdata/synthetic.ts';
import { trainingArgumentsSchema } from '../../tuning/arguments.ts';
import { scenePretrainTask } from '../../tuning/llava/scene-pretrain.ts';
import { sceneLlavaSource } from '../../tuning/llava/scene-source.ts';
import { compileTower, towerOf } from '../../tuning/llava/scene-task.ts';
import { llavaSource } from '../../tuning/llava/source.ts';
import { TowerCache } from '../../tuning/llava/tower-cache.ts';
import { CONDITION_NAMES, CONDITIONS, type ConditionName, conditionOf, conditionsOf } from './conditions.ts';
import { experimentSchema } from './settings.ts';
import { conditionArguments, conditionMethod, conditionTask, type ExperimentStart } from './tune.ts';

const runtime = nodeRuntime({ threads: 1 });
const TINY = { hidden_size: 32, intermediate_size: 48, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1 };
const settings = experimentSchema.parse({
  ...{ start: 'x', tune_steps: 4, batch_size: 2, max_turns: 2, bottleneck_layer: 0 },
  ...{ beta: 0.3, beta_pass: 0.02, noise_variance: 0.4, alpha_end: 0.25 },
});
let root: string;
let start: ExperimentStart;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-conditions-'));
  const world = syntheticWorld(CONCEPTS.length);
  const task = await scenePretrainTask(runtime, trainingArgumentsSchema.parse({ output_dir: root, per_device_train_batch_size: 2 }), {
    source: await sceneLlavaSource('scene-clip', TINY),
    world,
    chat: { curriculumSteps: 0, maxObjects: 2, spelled: 0, extra: 0, patchWords: true },
    evalScenes: 1,
  });
  await task.save(join(root, 'start'));
  await task.close();
  const source = await llavaSource(join(root, 'start'));
  start = { source, world, tower: new TowerCache(await compileTower(runtime, towerOf(source))) };
});
afterAll(async () => {
  await runtime.release();
  await rm(root, { recursive: true });
});

describe('the conditions', () => {
  it('are the six of the first test where none are named, in one order however they are named', () => {
    const six = ['plain', 'weight-decay', 'lora', 'vittle-f', 'vittle-l', 'vittle-official'];
    const names = (conditions?: (ConditionName | 'all')[]): string[] => conditionsOf({ conditions }).map(c => c.name);
    expect(names()).toEqual(six);
    expect(names(['vittle-f-pass', 'noise', 'plain', 'noise'])).toEqual(['plain', 'noise', 'vittle-f-pass']);
    expect(names(['all'])).toEqual(CONDITION_NAMES);
    for (const { controls = [] } of CONDITIONS) expect(CONDITION_NAMES).toEqual(expect.arrayContaining([...controls]));
    expect(new Set(CONDITIONS.map(c => c.colour)).size).toBe(CONDITIONS.length);
    // What the chart has room for.
    for (const { title } of CONDITIONS) expect(title.length, title).toBeLessThanOrEqual(25);
  });

  it('are refused without the one that the others are compared with, and where one is unknown', () => {
    const parsed = (conditions: unknown) => experimentSchema.safeParse({ start: 'x', conditions });
    expect(parsed(['noise']).error?.issues[0].message).toContain('must have plain');
    expect(parsed([]).success).toBe(false);
    expect(parsed(['plain', 'noise-unit']).success).toBe(false);
    expect(parsed(['plain', 'noise']).success).toBe(true);
  });

  it('tune as their names say', () => {
    const of = (name: ConditionName): Partial<BottleneckConfig> | undefined =>
      conditionMethod(conditionOf(name), start, settings).bottleneck;
    const shared = { bottleneck_layers: [0], alpha_end: 0.25 };
    expect(of('plain')).toBeUndefined();
    expect(of('dropout')).toBeUndefined();
    const published = { ...shared, prior: 'fixed', beta_visual: 0.3, beta_text: 0.3 };
    expect(of('vittle-f')).toMatchObject(published);
    for (const key of ['bottleneck_init', 'control', 'alpha_inference'] as const) expect(of('vittle-f')).not.toHaveProperty(key);
    expect(of('vittle-l')).toMatchObject({ ...published, prior: 'learnable' });
    expect(of('vittle-official')).toMatchObject({ ...published, half_log_kl: true, index_split: true, alpha_inference: 0.5 });
    const pass = { ...shared, bottleneck_init: 'pass' };
    expect(of('vittle-f-pass')).toMatchObject({ ...pass, prior: 'fixed', beta_visual: 0.02, beta_text: 0.02 });
    expect(of('vittle-l-pass')).toMatchObject({ ...pass, prior: 'learnable', beta_visual: 0.02 });
    expect(of('noise')).toMatchObject({ ...shared, control: 'noise', noise_variance_visual: 1, noise_variance_text: 1 });
    expect(of('noise')).not.toHaveProperty('bottleneck_init');
    expect(of('noise-pass')).toMatchObject({ ...pass, control: 'noise', noise_variance_visual: 0.4, noise_variance_text: 0.4 });
    expect(of('deterministic')).toMatchObject({ ...shared, control: 'deterministic' });
    expect(of('deterministic')).not.toHaveProperty('bottleneck_init');
    expect(of('deterministic-pass')).toMatchObject({ ...pass, control: 'deterministic' });
  });

  it('train: each makes a step from the same start, on the same conversations', { timeout: 240_000 }, async () => {
    const first = new Map<string, Record<string, number>>();
    for (const condition of CONDITIONS) {
      const task = await conditionTask(runtime, condition, conditionArguments(condition, 0, settings, 'unused'), start, settings, () => {});
      const batch = await task.batch(3);
      const out = await task.graph.run({ ...task.feeds(), ...batch });
      first.set(condition.name, {
        ce: Number(out.ce.data[0]),
        ids: Number(batch.input_ids.data.length),
        supervised: batch.loss_labels.data.length,
      });
      expect('kl_visual' in out, condition.name).toBe(condition.name.startsWith('vittle'));
      await task.close();
    }
    // Of all the conditions it alone is asked for more than answers.
    const supervised = (name: ConditionName): number => first.get(name)!.supervised;
    expect(supervised('lit')).toBeGreaterThan(2 * supervised('plain'));
    for (const { name } of CONDITIONS) if (name !== 'lit') expect(supervised(name), name).toBe(supervised('plain'));
    const ce = (name: ConditionName): number => first.get(name)!.ce;
    expect(new Set([...first.values()].map(v => v.ids)).size).toBe(1);
    // These begin as the model itself; all others change the stream.
    for (const name of ['weight-decay', 'lora', 'deterministic-pass'] as const) expect(ce(name), name).toBeCloseTo(ce('plain'), 5);
    for (const name of ['dropout', 'noise', 'noise-pass', 'deterministic', 'vittle-f', 'vittle-f-pass'] as const)
      expect(Math.abs(ce(name) - ce('plain')), name).toBeGreaterThan(1e-6);
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { alphaAt } from '../../bottleneck/gaussian/alpha.ts';
import { inferenceAlpha, parseBottleneckConfig } from '../../bottleneck/gaussian/config.ts';
import { parseArguments } from '../arguments.ts';
import { checkLlavaArguments, type LlavaArguments, passedOver, projectorTrainingSchema, tuneTrainingSchema } from './arguments.ts';
import { dropoutFeeds, dropoutOption } from './lora-dropout.ts';
import { requireTrainingMemory } from './memory.ts';
import { defaultLayer, methodOf } from './method.ts';
import { PRESETS, presetsFor, withPreset } from './presets.ts';
import { llavaSource } from './source.ts';
import { writeTinyLlava } from './testing/tiny-llava.ts';

const given = { output_dir: 'x', model: 'm', data_path: 'd' };
const NAMES = [
  'model.vision_tower.a.weight',
  'model.multi_modal_projector.linear_1.weight',
  'model.language_model.norm.weight',
  'lm_head.weight',
];

describe('arguments of LLaVA', () => {
  it('have a help of one line each', () => {
    for (const schema of [projectorTrainingSchema, tuneTrainingSchema])
      for (const [key, field] of Object.entries(schema.shape)) expect(field.description, key).toMatch(/^.{10,120}$/);
  });

  it.each(Object.keys(PRESETS))('take the recipe %s, which flags override', name => {
    const { stage, values, source } = PRESETS[name];
    const json = withPreset({ ...given, preset: name, learning_rate: 1 });
    const parsed: object =
      stage === 'projector'
        ? { ...parseArguments(projectorTrainingSchema, json), method: 'projector' }
        : parseArguments(tuneTrainingSchema, json);
    expect(parsed).toMatchObject({ ...values, learning_rate: 1 });
    checkLlavaArguments(parsed as LlavaArguments);
    expect(presetsFor(stage === 'projector')).toContain(name);
    expect(source).toMatch(/arXiv|github/);
    // An epoch of LLaVA's 665 298 conversations makes Vittle's published 5 197 updates; one of 558 128 captions LLaVA's 2 180.
    const perUpdate = Number(values.per_device_train_batch_size) * Number(values.gradient_accumulation_steps);
    expect(Math.floor((stage === 'tune' ? 665_298 : 558_128) / perUpdate)).toBe(stage === 'tune' ? 5197 : 2180);
  });

  it('name an unknown recipe or key', () => {
    expect(() => parseArguments(tuneTrainingSchema, withPreset({ ...given, preset: 'toString' }))).toThrow('"preset" is wrong');
    expect(() => parseArguments(tuneTrainingSchema, { ...given, betavisual: 1 })).toThrow('betavisual');
  });
});

describe('arguments of another method', () => {
  const of = (json: object) => passedOver(tuneTrainingSchema.parse({ output_dir: 'x', ...json }));

  it('are said to be ignored, each by name', () => {
    expect(of({})).toEqual([]);
    expect(of({ method: 'vittle', beta_text: 0.5, prior: 'learnable' })).toEqual([]);
    expect(of({ method: 'lora', lora_r: 4, merge_lora: true })).toEqual([]);
    expect(of({ method: 'full', lora_r: 4, beta_visual: 0.2 })).toEqual([
      '"beta_visual" is ignored: it belongs to the method vittle, and this run\'s method is full.',
      '"lora_r" is ignored: it belongs to the method lora, and this run\'s method is full.',
    ]);
    expect(of({ method: 'vittle', lora_target_modules: ['q_proj'] })).toHaveLength(1);
  });

  it('start from the shipped model by default, but for a projector', () => {
    expect(() => checkLlavaArguments(tuneTrainingSchema.parse({ output_dir: 'x', data_path: 'd' }))).not.toThrow();
    const stage1 = { ...projectorTrainingSchema.parse({ output_dir: 'x', data_path: 'd' }), method: 'projector' as const };
    expect(() => checkLlavaArguments(stage1)).toThrow('"model" is missing');
  });
});

describe('what a method trains', () => {
  const of = (json: object, layers = 32) => methodOf(tuneTrainingSchema.parse({ ...given, ...json }), NAMES, layers);

  it('is the projector; that with the decoder; that with adapters', () => {
    const stage1 = methodOf({ ...projectorTrainingSchema.parse(given), method: 'projector' }, NAMES, 32);
    expect(NAMES.map(stage1.trainable)).toEqual([false, true, false, false]);
    expect(NAMES.map(of({}).trainable)).toEqual([false, true, true, true]);
    const lora = of({ method: 'lora', lora_target_modules: ['q_proj'] });
    expect(NAMES.map(lora.trainable)).toEqual([false, true, false, false]);
    expect(lora.lora).toMatchObject({
      r: 128,
      lora_alpha: 256,
      target_modules: ['q_proj'],
      exclude_modules: '.*(vision_tower|multi_modal_projector).*',
      modules_to_save: ['multi_modal_projector'],
    });
    expect(NAMES.map(of({ freeze: ['*.norm.weight', 'lm_head*'] }).trainable)).toEqual([false, true, false, false]);
  });

  it('has its bottleneck at block 24 of 32 by default, as published', () => {
    expect([32, 40, 4, 1].map(defaultLayer)).toEqual([24, 30, 2, 0]);
    const { bottleneck } = of({ ...PRESETS['vittle-l-official'].values });
    expect(bottleneck).toMatchObject({
      bottleneck_layers: [24],
      prior: 'learnable',
      half_log_kl: true,
      index_split: true,
      beta_visual: 0.1,
    });
    expect(inferenceAlpha(bottleneck!)).toBe(0.5);
    expect(alphaAt(bottleneck!, 50, 100)).toBeCloseTo(0.25, 12);
    const before = parseBottleneckConfig({ bottleneck_layers: [7] }, 'test');
    expect(methodOf(tuneTrainingSchema.parse({ ...given, method: 'vittle' }), NAMES, 32, { before }).bottleneck!.bottleneck_layers).toEqual(
      [7],
    );
    expect(() => of({ method: 'vittle', bottleneck_layer: ['1', '1'] })).toThrow('names block 1 twice');
    // Answers take the share of the end of training, or one that is given.
    const answering = (json: object): number => inferenceAlpha(of({ method: 'vittle', alpha_end: 0.3, ...json }).bottleneck!);
    expect([answering({}), answering({ alpha_inference: 0.8 })]).toEqual([0.3, 0.8]);
    expect(of({ method: 'vittle', bottleneck_layer: ['-1'] }).bottleneck!.bottleneck_layers).toEqual([-1]);
    expect(() => of({ method: 'vittle', bottleneck_layer: ['-2'] })).toThrow(/bottleneck_layer/);
  });

  it('has dropout in the graph of adapters only where there is some, another number each step', () => {
    const lora = { r: 2, lora_alpha: 4, lora_dropout: 0.1, target_modules: 'all-linear' } as const;
    expect(dropoutOption(lora)).toHaveProperty('loraDropout');
    expect(dropoutOption({ ...lora, lora_dropout: 0 })).toEqual({});
    expect(dropoutOption(undefined)).toEqual({});
    const number = (seed: number, step: number): number => Number(Object.values(dropoutFeeds(lora, seed, step))[0].data[0]);
    expect(number(1, 5)).toBe(number(1, 5));
    expect(new Set([number(1, 5), number(1, 6), number(2, 5)]).size).toBe(3);
    expect(dropoutFeeds(undefined, 1, 5)).toEqual({});
  });

  it('needs memory, or says how much is missing', async () => {
    const root = await mkdtemp(join(tmpdir(), 'narrows-memory-'));
    const { entries, directory } = await llavaSource(await writeTinyLlava(root));
    const traced = new Map([...entries].filter(([name]) => name.includes('projector')));
    requireTrainingMemory(directory, traced, entries, undefined, 1e6);
    expect(() => requireTrainingMemory(directory, traced, entries, undefined, 1e5)).toThrow(
      /^Training 3,936 parameters of .* needs [\d.]+ [kM]B of memory .*\(16 bytes for each of them, 4 for.* are missing; train less/,
    );
    // Sums of micro-batches wait for each other: ((1 2) (3 4)) is held as three when the fourth comes, and ranks have an array for the whole.
    const bytes = (steps: number, ranks?: { rank: number; size: number }): number => {
      try {
        requireTrainingMemory(directory, traced, entries, { gradient_accumulation_steps: steps, ranks }, 1);
      } catch (error) {
        return Number(/\((\d+) bytes/.exec((error as Error).message)![1]);
      }
      throw new Error('no sentence');
    };
    expect([1, 2, 3, 4, 8, 32].map(steps => bytes(steps))).toEqual([16, 20, 20, 24, 28, 36]);
    expect([bytes(4, { rank: 0, size: 2 }), bytes(4, { rank: 3, size: 4 })]).toEqual([24, 20]);
    await rm(root, { recursive: true });
  });
});

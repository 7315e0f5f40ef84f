import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeSafetensors } from '../checkpoints/write.ts';
import { type CompiledGraph, compile, grad, input, mul, sum } from '../graph/index.ts';
import type { Parameter } from '../optim/adamw.ts';
import { nodeRuntime } from '../runtime/node.ts';
import { floats } from '../tensor/tensor.ts';
import { trainingArgumentsSchema } from './arguments.ts';
import { BestEvaluation } from './best.ts';
import { type TrainerHooks, type TrainTask, train } from './trainer.ts';

const argumentsOf = (json: object) => trainingArgumentsSchema.parse({ output_dir: 'x', load_best_model_at_end: true, ...json });

describe('the best evaluation', () => {
  it('is the lowest loss, or the highest of anything else', () => {
    const loss = new BestEvaluation(argumentsOf({}));
    expect([3, 2, 2, 2.5, 1].map((value, i) => loss.take(i, { eval_loss: value }))).toEqual([true, true, false, false, true]);
    expect(loss.state).toEqual({ best_global_step: 4, best_metric: 1, stale_evaluations: 0 });
    const accuracy = new BestEvaluation(argumentsOf({ metric_for_best_model: 'eval_accuracy' }));
    expect([3, 2, 4].map((value, i) => accuracy.take(i, { eval_accuracy: value }))).toEqual([true, false, true]);
    expect(() => accuracy.take(3, { eval_loss: 1 })).toThrow(
      '"metric_for_best_model" is "eval_accuracy", but the evaluation gives eval_loss.',
    );
  });

  it('is never one that is no number', () => {
    const best = new BestEvaluation(argumentsOf({}));
    expect(best.take(1, { eval_loss: Number.NaN })).toBe(false);
    expect(best.take(2, { eval_loss: 5 })).toBe(true);
    expect(best.take(3, { eval_loss: Number.NaN })).toBe(false);
  });

  it('is waited for so many evaluations, counted on from a checkpoint', () => {
    const args = argumentsOf({ early_stopping_patience: 2, early_stopping_threshold: 0.5 });
    const first = new BestEvaluation(args);
    first.take(1, { eval_loss: 3 });
    first.take(2, { eval_loss: 2.8 });
    expect(first.isOver).toBe(false);
    const resumed = new BestEvaluation(args, { global_step: 2, ...first.state });
    expect(resumed.step).toBe(2);
    resumed.take(3, { eval_loss: 2.7 });
    expect(resumed.isOver).toBe(true);
    // A step without its value is none.
    const half = new BestEvaluation(args, { best_global_step: 2 });
    expect(half.step).toBeUndefined();
    expect(half.take(3, { eval_loss: 9 })).toBe(true);
  });
});

describe('a run that looks for it', () => {
  let root: string;
  let graph: CompiledGraph;
  let directory: string;
  let count = 0;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'narrows-best-'));
    const w = input('w', [1]);
    const loss = sum(mul(w, w));
    graph = await compile(nodeRuntime({ threads: 1 }), { loss, 'grad.w': grad(loss, [w])[0] });
  });
  beforeEach(() => {
    directory = join(root, String(count++));
  });
  afterAll(async () => {
    await graph.release();
    await rm(root, { recursive: true });
  });

  /** Losses per step of evaluation; the weight moves a little each step. */
  function start(losses: Record<number, number>, json: object, hooks: TrainerHooks = {}) {
    const w: Parameter = { name: 'w', shape: [1], data: Float32Array.of(4) };
    const task: TrainTask = {
      parameters: [w],
      graph,
      batch: async () => ({}),
      exams: step => [
        {
          name: 'a list',
          batches: [{ units: 1, compute: async () => ({ loss: [losses[step]] }) }],
          figures: ([r]) => ({ eval_loss: r.loss[0] }),
        },
      ],
      save: to => writeSafetensors(join(to, 'model.safetensors'), { w: floats([1], w.data) }),
    };
    const args = argumentsOf({
      output_dir: directory,
      max_steps: 12,
      eval_steps: 2,
      save_steps: 4,
      learning_rate: 0.1,
      weight_decay: 0,
      ...json,
    });
    return train(task, args, hooks).then(result => ({ ...result, w: w.data[0] }));
  }
  const LOSSES = { 2: 5, 4: 4, 6: 3, 8: 3.5, 10: 3.4, 12: 3.3 };

  it('keeps its checkpoint and ends in its weights', async () => {
    const whole = await start(LOSSES, { save_total_limit: 1 });
    expect(whole).toMatchObject({ step: 12, finished: true, bestStep: 6 });
    expect((await readdir(directory)).sort()).toEqual(['checkpoint-12', 'checkpoint-6']);
    directory += '-six';
    // The cosine falls towards the last step, so the run to compare with has as many.
    const controller = new AbortController();
    const six = await start(
      LOSSES,
      { load_best_model_at_end: false },
      { signal: controller.signal, onStep: step => step === 6 && controller.abort() },
    );
    expect(six.w).toBe(whole.w);
    // Called again, it ends in the same.
    directory = directory.slice(0, -4);
    expect(await start(LOSSES, { save_total_limit: 1 })).toEqual(whole);
  });

  it('ends early, in the same place after an interruption at any step', async () => {
    const stop = { early_stopping_patience: 2 };
    const warnings: string[] = [];
    const whole = await start(LOSSES, stop, { onWarn: message => warnings.push(message) });
    expect(whole).toMatchObject({ step: 10, finished: true, bestStep: 6 });
    expect(warnings).toEqual(['Stopped early at step 10: 2 evaluations in a row were no better.']);
    const state = JSON.parse(await readFile(join(directory, 'checkpoint-10/trainer_state.json'), 'utf8'));
    expect(state).toMatchObject({ best_global_step: 6, best_metric: 3, stale_evaluations: 2 });
    for (let step = 1; step <= 9; step++) {
      directory = join(root, `interrupted-${step}`);
      const controller = new AbortController();
      const hooks = { signal: controller.signal, onStep: (at: number) => at === step && controller.abort() };
      expect((await start(LOSSES, stop, hooks)).finished).toBe(false);
      expect(await start(LOSSES, stop)).toEqual(whole);
    }
  });

  it('refuses to look without evaluations', async () => {
    const task: TrainTask = { parameters: [], graph, batch: async () => ({}), save: async () => {} };
    await expect(train(task, argumentsOf({ output_dir: directory }))).rejects.toThrow('need evaluations; give a "validation_file".');
  });
});

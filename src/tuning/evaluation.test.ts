import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeSafetensors } from '../checkpoints/write.ts';
import { type CompiledGraph, compile, grad, input, mul, sum } from '../graph/index.ts';
import type { Parameter } from '../optim/adamw.ts';
import { nodeRuntime } from '../runtime/node.ts';
import { NarrowsError } from '../system/errors.ts';
import { floats } from '../tensor/tensor.ts';
import { trainingArgumentsSchema } from './arguments.ts';
import { EVALUATION_FILE, type EvaluationMetrics, type Exam } from './evaluation.ts';
import { openTracker } from './tracking/tracker.ts';
import { type TrainerHooks, type TrainTask, train } from './trainer.ts';

let root: string;
let graph: CompiledGraph;
let directory: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-evaluation-'));
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

/** What is computed of a batch. @param w the weight, @param place of the batch among the three */
type Compute = (w: number, place: number) => readonly number[];

/** A run of six steps with an evaluation of three batches, figures 100 · place + w, at steps 2, 4 and 6. */
async function start(json: object = {}, hooks: TrainerHooks = {}, compute: Compute = (w, place) => [100 * place + w]) {
  const w: Parameter = { name: 'w', shape: [1], data: Float32Array.of(4) };
  const computed: number[] = [];
  const exam = (name: string, places: readonly number[]): Exam => ({
    name: `the ${name}`,
    batches: places.map(place => ({
      units: 10,
      async compute() {
        computed.push(place);
        return { value: compute(w.data[0], place) };
      },
    })),
    figures: results => ({ [`eval_${name}`]: results.reduce((total, { value }, i) => total + 10 ** i * value[0], 0) }),
  });
  const task: TrainTask = {
    parameters: [w],
    graph,
    batch: async () => ({}),
    exams: () => [exam('loss', [1, 2]), exam('score', [3])],
    save: to => writeSafetensors(join(to, 'model.safetensors'), { w: floats([1], w.data) }),
  };
  const args = trainingArgumentsSchema.parse({
    ...{ output_dir: directory, max_steps: 6, eval_steps: 2, save_steps: 3, logging_steps: 1, learning_rate: 0.1, weight_decay: 0 },
    ...json,
  });
  const logs: [number, EvaluationMetrics][] = [];
  const warnings: string[] = [];
  let tracker: Awaited<ReturnType<typeof openTracker>> | undefined;
  const result = await train(task, args, {
    ...hooks,
    async onStart(lastStep, evaluationPending) {
      tracker = await openTracker(directory, { lastStep, evaluationPending, tensorboard: false });
    },
    onLog(step, metrics) {
      tracker!.log(step, metrics);
      if (Object.keys(metrics).some(key => key.startsWith('eval_'))) logs.push([step, metrics]);
    },
    onWarn: message => warnings.push(message),
  }).finally(() => tracker?.close());
  return { ...result, w: w.data[0], computed, logs, warnings };
}

const metricsFile = (): Promise<string> => readFile(join(directory, 'metrics.jsonl'), 'utf8');

describe('an evaluation', () => {
  it('makes its figures of all batches in their order, and leaves no file behind', async () => {
    const values: number[] = [];
    const { logs, computed } = await start({}, {}, (w, place) => {
      if (place === 3) values.push(w);
      return [100 * place + w];
    });
    expect(computed).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3]);
    expect(logs).toEqual(
      [2, 4, 6].map((step, i) => [step, { eval_loss: 100 + values[i] + 10 * (200 + values[i]), eval_score: 300 + values[i] }]),
    );
    expect(new Set(values).size).toBe(3);
    expect(await readdir(directory)).not.toContain(EVALUATION_FILE);
  });

  it.each([2, 4, 6])('stopped inside that of step %i goes on with the batches that lack, to the same bits and figures', async at => {
    const whole = await start();
    const file = await metricsFile();
    directory += '-stopped';
    const controller = new AbortController();
    let evaluation = 0;
    const first = await start({}, { signal: controller.signal }, (w, place) => {
      if (place === 1 && ++evaluation === at / 2) controller.abort(new Error('enough'));
      return [100 * place + w];
    });
    expect(first).toMatchObject({ step: at, finished: false });
    const state = JSON.parse(await readFile(join(directory, `checkpoint-${at}/trainer_state.json`), 'utf8'));
    expect(state).toMatchObject({ global_step: at, evaluation_pending: true });
    const second = await start();
    expect(second).toMatchObject({ step: 6, finished: true, w: whole.w });
    // The first batch is there already.
    expect(second.computed.slice(0, 2)).toEqual([2, 3]);
    expect(await metricsFile()).toBe(file);
    expect(await readdir(directory)).not.toContain(EVALUATION_FILE);
    const last = JSON.parse(await readFile(join(directory, 'checkpoint-6/trainer_state.json'), 'utf8'));
    expect(last).not.toHaveProperty('evaluation_pending');
    // Called once more, there is nothing to do.
    expect((await start()).computed).toEqual([]);
  });

  it('of other weights or arguments is computed anew', async () => {
    const stop =
      (signalled: AbortController): Compute =>
      (w, place) => {
        if (place === 1) signalled.abort(new Error('enough'));
        return [w];
      };
    const controller = new AbortController();
    expect(await start({}, { signal: controller.signal }, stop(controller))).toMatchObject({ step: 2, finished: false });
    await rm(join(directory, 'checkpoint-2'), { recursive: true });
    const { computed } = await start({ learning_rate: 0.05 });
    expect(computed).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3]);
  });

  it('says which batch failed and why, leaves out its figures only, and the training goes on', async () => {
    const fail: Compute = (w, place) => {
      if (place === 2 && w < 3.75) throw new NarrowsError('b.png is truncated.');
      return [w];
    };
    const { finished, logs, warnings } = await start({}, {}, fail);
    expect(finished).toBe(true);
    expect(logs[0][1]).toHaveProperty('eval_loss');
    const { eval_score, ...rest } = logs[1][1];
    expect(eval_score).toBeCloseTo(3.7, 1);
    const reason = 'the loss: 1 of 2 batches failed: b.png is truncated.';
    expect(rest).toEqual({ eval_failed_batches: 1, eval_failure: reason });
    expect(warnings).toEqual([4, 6].map(step => `Step ${step}, evaluation of ${reason} Its figures are left out.`));
    expect(await metricsFile()).toContain('"eval_failure":"the loss: 1 of 2 batches failed: b.png is truncated."');
  });

  it.each([[Number.NaN], [Number.POSITIVE_INFINITY]])('takes %d for a failure, and never for the best', async wrong => {
    const run = await start({ load_best_model_at_end: true }, {}, (w, place) => [place === 1 ? wrong : w]);
    expect(run.logs.map(([, metrics]) => [Object.keys(metrics), metrics.eval_failure])).toEqual(
      Array(3).fill([['eval_score', 'eval_failed_batches', 'eval_failure'], `the loss: 1 of 2 batches failed: value is ${wrong}.`]),
    );
    expect(run.bestStep).toBeUndefined();
    expect(run.warnings.at(-1)).toBe('No evaluation gave "loss", so the weights are those of the last step.');
    expect(await metricsFile()).not.toMatch(/:"?(NaN|Infinity|null)/);
  });

  it('names a figure that is no number', async () => {
    const { logs } = await start({}, {}, (_, place) => [place === 3 ? 1 : 1.7e308]);
    expect(logs[0][1]).toMatchObject({ eval_score: 1, eval_failure: expect.stringContaining('eval_loss is Infinity.') });
    expect(logs[0][1]).not.toHaveProperty('eval_loss');
  });

  it('has one bar, which counts samples', async () => {
    const seen: number[] = [];
    const bars: object[] = [];
    await start(
      { eval_steps: 6 },
      {
        progress(options) {
          bars.push(options);
          return { update: done => seen.push(done), done() {}, fail() {} };
        },
      },
    );
    expect(bars).toEqual([{ label: 'Evaluating', total: 30, unit: 'samples', start: 0, transient: true }]);
    expect(seen).toEqual([10, 20, 30]);
  });
});

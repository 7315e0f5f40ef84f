/** @file The training loop: batches in, gradients out of one graph run, the optimiser in place; logs, evaluation, checkpoints, exact resume. */
import type { CompiledGraph } from '../graph/index.ts';
import { AdamW, type Optimizer, type Parameter } from '../optim/adamw.ts';
import { scheduleFactor } from '../optim/schedule.ts';
import type { Feeds } from '../runtime/runtime.ts';
import { floats, type Tensor } from '../tensor/tensor.ts';
import type { TrainingArguments } from './arguments.ts';
import { listCheckpoints, readCheckpoint, removeLeftovers, writeCheckpoint } from './checkpointing.ts';

/** What is trained. The graph's outputs are `loss`, any further scalars to log, and `grad.NAME` for every parameter. */
export interface TrainTask {
  readonly parameters: readonly Parameter[];
  readonly graph: CompiledGraph;
  /** Inputs of a step beside the parameters: a function of `step` (and of fixed settings) alone. */
  batch(step: number): Promise<Feeds>;
  /** Puts constraints back after an update. */
  afterUpdate?(): void;
  evaluate?(step: number): Promise<Record<string, number>>;
  /** Writes the model in Hugging Face's format. */
  save(directory: string): Promise<void>;
}

export interface TrainerHooks {
  /** Metrics of a step: means since the last log, or an evaluation's results (keys begin with `eval_`). */
  onLog?(step: number, metrics: Readonly<Record<string, number>>): void;
  onStep?(step: number, total: number, loss: number): void;
  onCheckpoint?(directory: string): void;
  /** Told once, when a checkpoint is taken up. */
  onResume?(step: number, directory: string): void;
  readonly signal?: AbortSignal;
}

export interface TrainResult {
  readonly step: number;
  /** False when stopped by the signal: a checkpoint was written, the run can be resumed. */
  readonly finished: boolean;
}

/** The optimiser that the arguments name. */
export function makeOptimizer(args: TrainingArguments, parameters: readonly Parameter[]): Optimizer {
  return new AdamW(parameters, {
    beta1: args.adam_beta1,
    beta2: args.adam_beta2,
    epsilon: args.adam_epsilon,
    weightDecay: args.weight_decay,
    maxGradNorm: args.max_grad_norm || undefined,
  });
}

/**
 * Trains to `max_steps`, taking up the newest checkpoint in `output_dir`. Stopped at any point, even by a kill, and started again with
 * the same arguments, it ends in the same bits.
 */
export async function train(
  task: TrainTask,
  args: TrainingArguments,
  hooks: TrainerHooks = {},
  optimizer = makeOptimizer(args, task.parameters),
): Promise<TrainResult> {
  await removeLeftovers(args.output_dir);
  const newest = (await listCheckpoints(args.output_dir)).at(-1);
  let step = 0;
  if (newest) {
    step = await readCheckpoint(newest.directory, task.parameters, optimizer);
    hooks.onResume?.(step, newest.directory);
  }
  const weights: Record<string, Tensor> = Object.fromEntries(task.parameters.map(p => [p.name, floats(p.shape, p.data)]));
  const checkpoint = async (): Promise<void> => {
    const directory = await writeCheckpoint(args.output_dir, step, optimizer, path => task.save(path), args.save_total_limit);
    hooks.onCheckpoint?.(directory);
  };
  let sums: Record<string, number> = {};
  let saved = step;
  while (step < args.max_steps) {
    if (hooks.signal?.aborted) {
      if (saved !== step) await checkpoint();
      return { step, finished: false };
    }
    const factor = scheduleFactor(args.lr_scheduler_type, step, args.max_steps, args.warmup_steps, args.decay_steps);
    const { gradients, scalars } = await accumulate(task, weights, step, args.gradient_accumulation_steps);
    const learningRate = args.learning_rate * factor;
    scalars.grad_norm = await optimizer.step(gradients, learningRate);
    task.afterUpdate?.();
    step++;
    for (const [key, value] of Object.entries(scalars)) sums[key] = (sums[key] ?? 0) + value;
    hooks.onStep?.(step, args.max_steps, scalars.loss);
    // Windows start at multiples of logging_steps, so a resumed run logs the same means wherever a checkpoint falls on one.
    if (step % args.logging_steps === 0) {
      const n = args.logging_steps;
      hooks.onLog?.(step, {
        ...Object.fromEntries(Object.entries(sums).map(([key, value]) => [key, value / n])),
        learning_rate: learningRate,
      });
      sums = {};
    }
    if (task.evaluate && (step % args.eval_steps === 0 || step === args.max_steps)) hooks.onLog?.(step, await task.evaluate(step));
    if (step % args.save_steps === 0 || step === args.max_steps) {
      await checkpoint();
      saved = step;
    }
  }
  return { step, finished: true };
}

/** Runs the micro-batches of a step and averages. */
async function accumulate(task: TrainTask, weights: Readonly<Record<string, Tensor>>, step: number, count: number) {
  const gradients = new Map<string, Float32Array>();
  const scalars: Record<string, number> = {};
  for (let micro = 0; micro < count; micro++) {
    const results = await task.graph.run({ ...weights, ...(await task.batch(step * count + micro)) });
    for (const [name, { data }] of Object.entries(results)) {
      if (!name.startsWith('grad.')) scalars[name] = (scalars[name] ?? 0) + Number(data[0]) / count;
      else if (count === 1) gradients.set(name.slice(5), data as Float32Array);
      else addTo(gradients, name.slice(5), data as Float32Array, 1 / count);
    }
  }
  return { gradients, scalars };
}

function addTo(sums: Map<string, Float32Array>, name: string, data: Float32Array, scale: number): void {
  let sum = sums.get(name);
  if (!sum) {
    sum = new Float32Array(data.length);
    sums.set(name, sum);
  }
  for (let i = 0; i < data.length; i++) sum[i] += data[i] * scale;
}

/** @file The training loop: batches in, gradients out of one graph run, the optimiser in place; logs, evaluation, checkpoints, exact resume. */

import type { CompiledGraph } from '../graph/index.ts';
import { roomyHeap } from '../node/heap.ts';
import type { Ranks } from '../node/mpi/ranks.ts';
import { join } from '../node/paths.ts';
import type { Progress, ProgressOptions } from '../node/progress.ts';
import { AdamW, type AdamWOptions, type Optimizer, type Parameter, type ParameterGroup } from '../optim/adamw.ts';
import { Muon } from '../optim/muon.ts';
import { scheduleFactor } from '../optim/schedule.ts';
import { deviceOf } from '../runtime/device.ts';
import { nodeRuntime } from '../runtime/node.ts';
import type { Feeds, Runtime } from '../runtime/runtime.ts';
import { NarrowsError } from '../system/errors.ts';
import { floats, type Tensor } from '../tensor/tensor.ts';
import type { TrainingArguments } from './arguments.ts';
import { BestEvaluation, wantsBest } from './best.ts';
import {
  checkSameData,
  type OpenWeights,
  pruneCheckpoints,
  readWeights,
  removeLeftovers,
  resumeNewest,
  writeCheckpoint,
} from './checkpointing.ts';
import { type EvaluationMetrics, Evaluations, type Exam } from './evaluation.ts';
import { ShardedOptimizer } from './parallel/sharded.ts';
import { type NoteRelay, Team, type TogetherStep } from './parallel/team.ts';

/** What is trained. The graph's outputs are `loss`, any further scalars to log, and `grad.NAME` for every parameter. */
export interface TrainTask {
  readonly parameters: readonly Parameter[];
  readonly graph: Pick<CompiledGraph, 'run' | 'release'>;
  /** Inputs of a step besides the parameters: a function of `step` (and of fixed settings) only. */
  batch(step: number): Promise<Feeds>;
  /** Parameters with rates of theirs, for the optimiser that the arguments name. */
  readonly groups?: readonly ParameterGroup[];
  /** Puts constraints back after an update. */
  afterUpdate?(): void;
  /** The exams of an evaluation over the parameters as they are now; they are computed one batch after the other. */
  exams?(step: number): Promise<readonly Exam[]> | readonly Exam[];
  /** What was assumed or ignored of the model that the run starts from, in sentences. */
  readonly warnings?: readonly string[];
  /** SHA-256 of what lists the data, where that is a file that may change. */
  readonly dataHash?: string;
  /** What the graph runs on. */
  readonly runtime?: Runtime;
  /** Writes the model in Hugging Face's format. */
  save(directory: string): Promise<void>;
  /** Where the parameters stand in what `save` wrote; in `model.safetensors`, by their names, where this is absent. */
  readonly open?: OpenWeights;
  /** How ranks compute an update of one micro-batch together, where they can. */
  readonly together?: TogetherStep;
  /** Tells which micro-step this process asks for after another one: not the next one where several share an update. */
  follow?(next: (step: number) => number): void;
  /** What a micro-batch is made of, in words, for the message about one that breaks the run. */
  describeBatch?(step: number): string;
}

/** What `train` reports on its way. */
export interface TrainerHooks {
  /**
   * Called once before the first step, with the number of steps that are done already.
   * @param evaluationPending whether the evaluation of that step is still to come
   */
  onStart?(step: number, evaluationPending: boolean): void | Promise<void>;
  /** Metrics of a step: means since the last log, or an evaluation's results (keys begin with `eval_`). */
  onLog?(step: number, metrics: EvaluationMetrics): void;
  /** @param scalars of this step */
  onStep?(step: number, total: number, loss: number, scalars: Readonly<Record<string, number>>): void;
  onCheckpoint?(directory: string): void;
  /** Called once, when a checkpoint is taken up. */
  onResume?(step: number, directory: string): void;
  /** Something is not as asked for, such as a checkpoint that cannot be read. */
  onWarn?(message: string): void;
  /** Makes the bar of an evaluation. */
  readonly progress?: (options: ProgressOptions) => Progress;
  /** Lines for a person: the estimate of an evaluation's time. */
  onInfo?(message: string): void;
  readonly signal?: AbortSignal;
  /** The processes that share the run: each computes some micro-batches of an update. All call `train` with the same task and arguments. */
  readonly ranks?: Ranks;
  /** Brings what other ranks find in their batches to rank 0. */
  readonly notes?: NoteRelay;
}

/** Where a run ended. */
export interface TrainResult {
  readonly step: number;
  /** False when stopped by the signal: a checkpoint was written, the run can be resumed. */
  readonly finished: boolean;
  /** Step of the weights, where they are those of the best evaluation and not the last ones. */
  readonly bestStep?: number;
}

/** AdamW's settings, as the arguments say. */
export const optimizerOptions = (args: TrainingArguments): AdamWOptions => ({
  beta1: args.adam_beta1,
  beta2: args.adam_beta2,
  epsilon: args.adam_epsilon,
  weightDecay: args.weight_decay,
  maxGradNorm: args.max_grad_norm || undefined,
});

/** The optimiser that the arguments name, by the task's groups. */
export function makeOptimizer(
  args: TrainingArguments,
  { parameters, groups, runtime = nodeRuntime() }: Pick<TrainTask, 'parameters' | 'groups' | 'runtime'>,
): Optimizer {
  const options = { ...optimizerOptions(args), groups };
  return args.optim === 'muon' ? new Muon(runtime, parameters, options) : new AdamW(parameters, options);
}

/**
 * Trains to `max_steps`, taking up the newest checkpoint in `output_dir`. Stopped at any point, even by a kill, and started again with
 * the same arguments, it ends in the same bits and logs the same figures. While it runs, the heap of this process may grow to five times what is alive
 * (heap.ts).
 * @param optimizer the one that the arguments name by default; one that is given is left open
 * @throws NarrowsError when no checkpoint can be read, the data changed since, a gradient is not finite, or a file cannot be written
 */
export async function train(
  task: TrainTask,
  args: TrainingArguments,
  hooks: TrainerHooks = {},
  optimizer?: Optimizer,
): Promise<TrainResult> {
  using _ = roomyHeap();
  if (optimizer) return await run(task, args, hooks, optimizer);
  const make = (parameters: readonly Parameter[]): Optimizer => makeOptimizer(args, { ...task, parameters });
  const made = args.shard_optimizer && hooks.ranks ? new ShardedOptimizer(hooks.ranks, task.parameters, make) : make(task.parameters);
  try {
    return await run(task, args, hooks, made);
  } finally {
    await made.release?.();
  }
}

type AnyOptimizer = Optimizer | ShardedOptimizer;

async function run(task: TrainTask, args: TrainingArguments, hooks: TrainerHooks, optimizer: AnyOptimizer): Promise<TrainResult> {
  const { signal, progress } = hooks;
  const evaluations = new Evaluations(args.output_dir, args, {
    ...{ signal, progress },
    onInfo: message => hooks.onInfo?.(message),
    onWarning: message => hooks.onWarn?.(message),
  });
  try {
    return await steps(task, args, hooks, optimizer, evaluations);
  } finally {
    await evaluations.close();
  }
}

async function steps(
  task: TrainTask,
  args: TrainingArguments,
  hooks: TrainerHooks,
  optimizer: AnyOptimizer,
  evaluations: Evaluations,
): Promise<TrainResult> {
  const team = new Team(task, args.gradient_accumulation_steps, hooks.ranks, hooks.notes);
  task.follow?.(team.next);
  if (team.leads) await removeLeftovers(args.output_dir);
  // Nobody looks for checkpoints while leftovers are removed, and nothing is written before all have looked.
  await hooks.ranks?.barrier();
  await checkSameData(args.output_dir, task.dataHash);
  if (wantsBest(args) && !task.exams)
    throw new NarrowsError('"load_best_model_at_end" and "early_stopping_patience" need evaluations; give a "validation_file".', {
      kind: 'usage',
    });
  const resumed = await resumeNewest(args.output_dir, task.parameters, optimizer, message => hooks.onWarn?.(message), task.open);
  await checkTogether(team, resumed?.state.global_step);
  await team.share();
  const best = wantsBest(args) ? new BestEvaluation(args, resumed?.state) : undefined;
  let step = resumed?.state.global_step ?? 0;
  const device = task.runtime?.device ?? deviceOf(process.env.NARROWS_DEVICE);
  const before = resumed?.state.device ?? 'cpu';
  if (resumed && before !== device)
    hooks.onWarn?.(
      `From step ${step} on the training runs on the device "${device}", not on "${before}" as before: it ends in other bits.`,
    );
  if (resumed) {
    // A kill may have come between a checkpoint and the removal of the oldest.
    if (team.leads) await pruneCheckpoints(args.output_dir, args.save_total_limit, step, best?.step);
    hooks.onResume?.(step, resumed.directory);
  }
  const isDue = (): boolean => task.exams !== undefined && (step % args.eval_steps === 0 || step === args.max_steps);
  let pending = resumed?.state.evaluation_pending === true && isDue();
  await hooks.onStart?.(step, pending);
  const weights: Record<string, Tensor> = Object.fromEntries(task.parameters.map(p => [p.name, floats(p.shape, p.data)]));
  let window = resumed?.state.log_window ?? { steps: 0, sums: {} };
  const checkpoint = async (): Promise<void> => {
    const state = {
      ...{ global_step: step, log_window: window },
      ...(task.dataHash ? { data: task.dataHash } : {}),
      ...(device === 'cpu' ? {} : { device }),
      ...(pending ? { evaluation_pending: true } : {}),
      ...best?.state,
    };
    const kept = optimizer instanceof ShardedOptimizer ? await optimizer.collect() : optimizer;
    saved = step;
    if (!team.leads) return;
    // Not inside the call of the hook: where there is none, its argument would never be evaluated.
    const directory = await writeCheckpoint(args.output_dir, state, kept, to => task.save(to), args.save_total_limit);
    hooks.onCheckpoint?.(directory);
    // A run never goes back behind a checkpoint: these weights are not evaluated again.
    if (!pending) await evaluations.forget();
  };
  let saved = resumed ? step : -1;
  /** What follows a step: its evaluation, where one is due, and a checkpoint. @returns false where the signal came in between */
  const settle = async (): Promise<boolean> => {
    let improved = false;
    pending = isDue();
    if (pending) {
      // Rank 0 evaluates, and the others wait for its figures.
      const metrics = await team.agree(team.leads ? await evaluated(task, evaluations, step, hooks.signal) : undefined);
      if (!metrics) {
        await checkpoint();
        return false;
      }
      pending = false;
      hooks.onLog?.(step, metrics);
      improved = best?.take(step, metrics) ?? false;
    }
    if (improved || step % args.save_steps === 0 || step === args.max_steps || best?.isOver) await checkpoint();
    return true;
  };
  if (pending && !(await settle())) return { step, finished: false };
  while (step < args.max_steps && !best?.isOver) {
    if (await team.any(hooks.signal?.aborted === true)) {
      if (saved !== step) await checkpoint();
      return { step, finished: false };
    }
    const factor = scheduleFactor(args.lr_scheduler_type, step, args.max_steps, args.warmup_steps, args.decay_steps);
    const bounds = optimizer instanceof ShardedOptimizer ? optimizer.bounds : undefined;
    const { gradients, scalars } = await team.gradients(weights, step, bounds);
    const learningRate = args.learning_rate * factor;
    scalars.grad_norm = await update(task, optimizer, gradients, learningRate, step * args.gradient_accumulation_steps);
    task.afterUpdate?.();
    step++;
    for (const [key, value] of Object.entries(scalars)) window.sums[key] = (window.sums[key] ?? 0) + value;
    window.steps++;
    hooks.onStep?.(step, args.max_steps, scalars.loss, scalars);
    if (step % args.logging_steps === 0) {
      const means = Object.entries(window.sums).map(([key, value]) => [key, value / window.steps]);
      hooks.onLog?.(step, { ...Object.fromEntries(means), learning_rate: learningRate });
      window = { steps: 0, sums: {} };
    }
    if (!(await settle())) return { step, finished: false };
  }
  // A kill may have come between the last checkpoint and this.
  if (team.leads) await evaluations.forget();
  if (best?.isOver && step < args.max_steps)
    hooks.onWarn?.(`Stopped early at step ${step}: ${args.early_stopping_patience} evaluations in a row were no better.`);
  if (args.load_best_model_at_end && best?.step === undefined)
    hooks.onWarn?.(`No evaluation gave "${args.metric_for_best_model}", so the weights are those of the last step.`);
  // Only rank 0 writes the model.
  if (!team.leads) return { step, finished: true };
  if (!args.load_best_model_at_end || best?.step === undefined || best.step === step) return { step, finished: true };
  await readWeights(join(args.output_dir, `checkpoint-${best.step}`), task.parameters, task.open);
  return { step, finished: true, bestStep: best.step };
}

/** @throws NarrowsError where ranks found different checkpoints */
async function checkTogether(team: Team, step: number | undefined): Promise<void> {
  const wanted = await team.agree(step);
  if (wanted === step) return;
  const found = (at: number | undefined): string => (at === undefined ? 'no checkpoint' : `the checkpoint of step ${at}`);
  throw new NarrowsError(`Here is ${found(step)}, where rank 0 has ${found(wanted)}: the output_dir must be one that all machines see.`);
}

/** An evaluation's figures, or undefined where the signal stopped it. */
async function evaluated(
  task: TrainTask,
  evaluations: Evaluations,
  step: number,
  signal: AbortSignal | undefined,
): Promise<EvaluationMetrics | undefined> {
  try {
    return await evaluations.run(step, await task.exams!(step), task.parameters);
  } catch (error) {
    if (signal?.aborted && error === signal.reason) return undefined;
    throw error;
  }
}

/** The optimiser's step; where the gradient is not finite, the batch is named. @param first its first micro-batch */
async function update(
  task: TrainTask,
  optimizer: AnyOptimizer,
  gradients: ReadonlyMap<string, Float32Array>,
  learningRate: number,
  first: number,
): Promise<number> {
  try {
    return await optimizer.step(gradients, learningRate);
  } catch (error) {
    if (!(error instanceof NarrowsError) || !task.describeBatch) throw error;
    throw new NarrowsError(`${error.message} The batch began with ${task.describeBatch(first)}.`, { cause: error });
  }
}

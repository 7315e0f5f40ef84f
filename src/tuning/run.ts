/** @file The frame of every training run: its directory, progress, figures, and the finished model. */
import { access } from '../node/disk.ts';
import { writeFileAtomic } from '../node/files.ts';
import { ownCores } from '../node/machine.ts';
import type { Ranks } from '../node/mpi/ranks.ts';
import { lockOutput } from '../node/output-lock.ts';
import { join } from '../node/paths.ts';
import { createProgress, type Progress } from '../node/progress.ts';
import { nodeRuntime } from '../runtime/node.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { NarrowsError } from '../system/errors.ts';
import { formatNumber } from '../system/format.ts';
import { type Logger, silent } from '../system/log.ts';
import type { TrainingArguments } from './arguments.ts';
import { listCheckpoints, removeLeftovers, stateJson } from './checkpointing.ts';
import { compareWithCheckpoint } from './compatible.ts';
import type { NoteRelay } from './parallel/team.ts';
import { isTraining, lastEvaluation, type Metrics, readMetrics, warningsOf } from './tracking/metrics.ts';
import { openTracker, type Tracker } from './tracking/tracker.ts';
import { type TrainTask, train } from './trainer.ts';

/** Where a run ended. */
export interface RunResult {
  readonly output_dir: string;
  readonly step: number;
  /** False when stopped by the signal; the same call resumes. The command line exits with 130. */
  readonly finished: boolean;
  /** Figures of the evaluation that the model belongs to, keys begin with `eval_`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Step of the weights, where they are those of the best evaluation and not the last ones. */
  readonly bestStep?: number;
  /** What was assumed or ignored, and what the run was watched for and showed, in sentences. */
  readonly warnings?: readonly string[];
}

/** A task, and what must be closed afterwards. */
export interface ClosableTask extends TrainTask {
  /** Writes the finished model, where that is not what `save` writes. */
  finish?(directory: string): Promise<void>;
  close(): Promise<void>;
}

/** How a run is watched and ended. */
export interface RunOptions {
  readonly log: Logger;
  readonly quiet: boolean;
  readonly signal?: AbortSignal;
  onProgress?(step: number, total: number, loss: number): void;
  /** The processes that share the run; only rank 0 writes and speaks. */
  readonly ranks?: Ranks;
  /** Brings what other ranks find in their batches to rank 0. */
  readonly notes?: NoteRelay;
  /** Adds to the figures of the training steps that are logged. */
  figures?(metrics: Readonly<Record<string, number>>): Readonly<Record<string, number>>;
  /** A step's figures besides the loss, for the line of progress. */
  status?(scalars: Readonly<Record<string, number>>): string;
  /**
   * Looks at each line of training figures, in order, a resumed run's earlier ones included. @returns sentences to warn with: they are said,
   * stand in that line of metrics.jsonl under `warning`, and in the result
   */
  watch?(step: number, metrics: Metrics): readonly string[];
  /** Called after each step, before its figures are logged. */
  afterStep?(): void;
  /** Text of README.md. */
  card(metrics: Readonly<Record<string, number>>): string;
  /** Called when the training is over, finished or not. */
  onEnd?(): void;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * Whether a run with these arguments may go on in its `output_dir`.
 * @param defaults what the arguments are where nothing is given @param fixed arguments that a checkpoint depends on
 * @returns warnings. @throws NarrowsError (usage) where the directory belongs to something else
 */
export async function checkRunDirectory(
  args: Readonly<Record<string, unknown>> & { readonly output_dir: string },
  defaults: Readonly<Record<string, unknown>>,
  fixed: ReadonlySet<string>,
): Promise<string[]> {
  const directory = args.output_dir;
  if ((await listCheckpoints(directory)).length > 0) return compareWithCheckpoint(directory, args, defaults, fixed);
  if (!(await exists(join(directory, 'model.safetensors')))) return [];
  throw new NarrowsError(`${directory} holds a model but no checkpoint to resume from; choose another output_dir.`, { kind: 'usage' });
}

/** What every run is given. */
export interface RunFrame {
  readonly runtime?: Runtime;
  readonly signal?: AbortSignal;
  readonly log?: Logger;
  readonly ranks?: Ranks;
}

const isLeader = (ranks: Ranks | undefined): boolean => (ranks?.rank ?? 0) === 0;

/**
 * Locks the directory of a run against other processes, gives it its runtime, where it has none, and frees both. A run that the signal stopped before its first step has lost nothing.
 * @param start is given a runtime with `num_threads`
 * @throws NarrowsError naming the process that trains in the directory already
 */
export async function withRuntime(
  args: TrainingArguments,
  { runtime, signal, log, ranks }: RunFrame,
  start: (runtime: Runtime) => Promise<RunResult>,
): Promise<RunResult> {
  await using lock = isLeader(ranks) ? await lockOutput(args.output_dir) : undefined;
  if (lock?.takenOver) log?.info(lock.takenOver);
  // The lock is rank 0's; the directory is there for all.
  await ranks?.barrier();
  const used = runtime ?? nodeRuntime({ threads: args.num_threads || (ranks ? ownCores() : 0) });
  try {
    return await start(used);
  } catch (error) {
    if (signal?.aborted && error === signal.reason) return { output_dir: args.output_dir, step: 0, finished: false, metrics: {} };
    throw error;
  } finally {
    if (!runtime) await used.release();
  }
}

/** Progress of the drawing of sprites, one bar a style. */
export function drawingProgress(quiet: boolean): (style: string, done: number, total: number) => void {
  let drawing: Progress | undefined;
  return (style, done, total) => {
    drawing ??= createProgress({ label: `Drawing ${style}`, total, unit: 'pictures', quiet });
    drawing.update(done);
    if (done < total) return;
    drawing.done();
    drawing = undefined;
  };
}

/**
 * Trains with progress, figures and log, writes the finished model, and closes the task.
 * @throws NarrowsError as `train` does; nothing is half-written
 */
export async function runTraining(task: ClosableTask, args: TrainingArguments, options: RunOptions): Promise<RunResult> {
  const { signal, ranks, notes } = options;
  const leads = isLeader(ranks);
  const [log, quiet] = leads ? [options.log, options.quiet] : [silent, true];
  let tracker: Tracker | undefined;
  let progress: Progress | undefined;
  for (const message of task.warnings ?? []) log.warn(message);
  try {
    const result = await train(task, args, {
      ...{ signal, ranks, notes },
      onWarn: message => log.warn(message),
      onResume(step, directory) {
        log.info(`Resuming from ${directory} (step ${step} of ${args.max_steps}).`);
        if (step > args.max_steps) log.warn(`The run is past "max_steps" already; the model is that of step ${step}.`);
      },
      progress: bar => createProgress({ ...bar, quiet }),
      onInfo: message => log.info(message),
      async onStart(step, evaluationPending) {
        progress = createProgress({ label: 'Training', total: args.max_steps, start: step, unit: 'steps', quiet });
        if (!leads) return;
        const tensorboard = args.report_to.includes('tensorboard');
        const earlier = step > 0 && options.watch ? await readMetrics(args.output_dir, step) : [];
        for (const { step: at, ...metrics } of earlier) if (isTraining(metrics)) options.watch!(at, metrics);
        tracker = await openTracker(args.output_dir, { lastStep: step, evaluationPending, tensorboard });
      },
      onLog(step, metrics) {
        if (!leads) return;
        const scores = Object.entries(metrics).filter(([key]) => key.startsWith('eval_'));
        if (scores.length) tracker!.log(step, metrics);
        else {
          const warnings = options.watch?.(step, metrics) ?? [];
          for (const warning of warnings) log.warn(warning);
          const further = options.figures?.(metrics as Record<string, number>);
          tracker!.log(step, { ...metrics, ...further, ...(warnings.length ? { warning: warnings.join('\n') } : {}) });
        }
        const numbers = scores.flatMap(([key, value]) => (typeof value === 'number' ? `${key.slice(5)} ${formatNumber(value)}` : []));
        if (numbers.length) log.info(`Step ${step}: ${numbers.join(', ')}`);
      },
      onStep(step, total, loss, scalars) {
        options.afterStep?.();
        const further = options.status?.(scalars);
        progress!.update(step, `loss ${formatNumber(loss)}${further ? `, ${further}` : ''}`);
        options.onProgress?.(step, total, loss);
      },
      onCheckpoint: directory => log.debug(`Wrote ${directory}.`),
    });
    if (result.finished && result.step >= args.max_steps) progress!.done();
    else progress!.fail();
    if (!leads) return { output_dir: args.output_dir, ...result, metrics: {} };
    options.onEnd?.();
    const metrics = await lastEvaluation(args.output_dir, result.bestStep);
    const watched = options.watch ? (await readMetrics(args.output_dir)).flatMap(warningsOf) : [];
    const warnings = [...(task.warnings ?? []), ...watched];
    if (result.finished) {
      await writeFileAtomic(join(args.output_dir, 'README.md'), options.card(metrics));
      const state = {
        global_step: result.step,
        max_steps: args.max_steps,
        ...(task.dataHash ? { data: task.dataHash } : {}),
        ...(warnings.length ? { warnings } : {}),
        ...(result.bestStep === undefined ? {} : { best_global_step: result.bestStep }),
      };
      await writeFileAtomic(join(args.output_dir, 'trainer_state.json'), stateJson(state));
      await (task.finish ?? task.save)(args.output_dir);
      await removeLeftovers(args.output_dir);
    }
    return { output_dir: args.output_dir, ...result, metrics, ...(warnings.length ? { warnings } : {}) };
  } catch (error) {
    progress?.fail();
    throw error;
  } finally {
    tracker?.close();
    await task.close();
  }
}

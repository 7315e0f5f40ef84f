/** @file One run of the experiment: tunes a condition with a seed and lets it sit the exams; in this thread or in a worker. */
import type { TaskHooks } from '../../jobs/cell.ts';
import { join } from '../../node/paths.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { isTraining, readMetrics } from '../../tuning/tracking/metrics.ts';
import { train } from '../../tuning/trainer.ts';
import type { Condition } from './conditions.ts';
import type { PreparedExam } from './exams/exam.ts';
import { type ExperimentHooks, logged } from './hooks.ts';
import { measure } from './measure.ts';
import type { RunOutcome } from './outcome.ts';
import { posteriorOutcome } from './posterior.ts';
import type { ExperimentSettings } from './settings.ts';
import { conditionArguments, conditionOptimizer, conditionTask, type ExperimentStart, type Tunables } from './tune.ts';

/** A run as a task of the plan; its folder is its key. */
export interface ExperimentJob {
  readonly condition: Condition;
  readonly seed: number;
  readonly settings: ExperimentSettings & Tunables;
  /** Relative to the experiment's directory. */
  readonly folder: string;
}

/** What a run is made with. */
export interface Bench {
  readonly runtime: Runtime;
  readonly output: string;
  readonly start: ExperimentStart;
}

/** What a run tells on its way. */
export interface TuningHooks extends TaskHooks<RunOutcome>, Pick<ExperimentHooks, 'onStep' | 'onResult'> {
  /** The training is over. */
  onExams?(): void;
}

/** Seeds whose wrong answers are kept in words: EMID is measured on them. */
const WORDED_SEEDS = 3;

/** Computes a run; its outcome is its cell. @throws NarrowsError as `train`; the signal's reason */
export async function tuneAndExamine(
  { runtime, output, start }: Bench,
  exams: readonly PreparedExam[],
  { condition, seed, settings, folder }: ExperimentJob,
  hooks: TuningHooks,
): Promise<void> {
  const { signal } = hooks;
  const directory = join(output, folder);
  const args = conditionArguments(condition, seed, settings, directory);
  const task = await conditionTask(runtime, condition, args, start, settings, message => hooks.onWarning(message));
  try {
    const onStep = (step: number, total: number, loss: number): void => {
      // The exams come after the last step.
      hooks.onProgress((0.7 * step) / total);
      hooks.onStep?.(step, total, loss);
    };
    const optimizer = conditionOptimizer(condition, args, task, settings);
    await logged(directory, [], hooks, (onStart, onLog) => train(task, args, { signal, onStart, onLog, onStep }, optimizer));
    signal?.throwIfAborted();
    hooks.onExams?.();
    const words = settings.further_exams !== undefined && seed < WORDED_SEEDS;
    const outcomes = await measure(task, start.source.config, exams, settings.bottleneck_layer, { words, signal });
    const posterior = posteriorOutcome((await readMetrics(directory)).filter(isTraining), task.bottleneck, settings.tune_steps);
    for (const warning of posterior?.warnings ?? []) hooks.onWarning(`${condition.title}, seed ${seed}: ${warning}`);
    await hooks.onCell(folder, { result: { condition: condition.name, seed, outcomes, ...(posterior && { posterior }) } });
  } finally {
    await task.close();
  }
}

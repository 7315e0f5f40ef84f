/** @file The runs of the experiment as a plan: each tunes a condition with a seed and sits the exams; what is done is on disk. */

import type { z } from 'zod';
import type { Task, TaskHooks } from '../../jobs/cell.ts';
import { localPool } from '../../jobs/local-pool.ts';
import { runPlan } from '../../jobs/run.ts';
import { readFile } from '../../node/disk.ts';
import { join } from '../../node/paths.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { parsePlain } from '../../system/json-depth.ts';
import { readError } from '../../system/read-error.ts';
import { mean } from '../../tensor/statistics/descriptive.ts';
import { isTraining, readMetrics } from '../../tuning/tracking/metrics.ts';
import { train } from '../../tuning/trainer.ts';
import { type Condition, conditionsOf, inRunOrder } from './conditions.ts';
import type { PreparedExam } from './exams/exam.ts';
import { type ExperimentHooks, logged } from './hooks.ts';
import { measure } from './measure.ts';
import type { ExamFacts, RunOutcome } from './outcome.ts';
import type { OutcomeStore } from './outcomes.ts';
import { posteriorOutcome } from './posterior.ts';
import type { ExperimentSettings } from './settings.ts';
import { conditionArguments, conditionOptimizer, conditionTask, type ExperimentStart, type Tunables } from './tune.ts';

/** The content of a JSON file; undefined where there is none. @throws NarrowsError naming one that cannot be read or is of another form */
export async function readOr<T>(path: string, schema: z.ZodType<T>, remedy: string): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw readError(path, error);
  });
  if (text === undefined) return undefined;
  try {
    return schema.parse(parsePlain(text));
  } catch {
    throw new NarrowsError(`${path} is damaged or was not written by this experiment; ${remedy}.`);
  }
}

/** A value as a line of a JSON file. */
export const toJson = (value: unknown): string => `${JSON.stringify(value)}\n`;

/** A run as a task of the plan; its folder is its key. */
export interface ExperimentJob {
  readonly condition: Condition;
  readonly seed: number;
  readonly settings: ExperimentSettings & Tunables;
  /** Relative to the experiment's directory. */
  readonly folder: string;
}

/** A run as a task. */
export const taskOf = (input: ExperimentJob): Task<ExperimentJob> => ({ input, keys: [input.folder] });

/** The runs of an experiment, seed by seed, what decides first, so that a stop leaves complete comparisons. */
export const planExperiment = (settings: ExperimentSettings & Tunables, seeds: readonly number[]): Task<ExperimentJob>[] =>
  seeds.flatMap(seed =>
    inRunOrder(conditionsOf(settings)).map(condition => taskOf({ condition, seed, settings, folder: `runs/${condition.name}-${seed}` })),
  );

/** Seeds whose wrong answers are kept in words: EMID is measured on them. */
const WORDED_SEEDS = 3;

/** What all runs of an experiment share. */
export interface Laboratory {
  readonly runtime: Runtime;
  readonly output: string;
  readonly start: ExperimentStart;
  readonly hooks: ExperimentHooks;
}

/** What an exam asks, without its pictures. */
export const factsOf = ({ id, group, items }: PreparedExam): ExamFacts => ({ id, group, items });

/** Accuracy on closed questions, the mean over exams. */
export const score = (outcome: RunOutcome, exams: readonly Pick<ExamFacts, 'id' | 'items'>[]): number =>
  mean(
    exams.map(({ id, items }) =>
      mean(items.flatMap(({ task }, i) => (task === 'caption' ? [] : [Number(outcome.outcomes[id].correct[i])]))),
    ),
  );

/** Does what is missing of a plan: each run tunes a condition with a seed and lets it sit the exams. */
export async function runAll(
  { runtime, output, start, hooks }: Laboratory,
  store: OutcomeStore,
  plan: readonly Task<ExperimentJob>[],
  exams: readonly PreparedExam[],
  label: string,
  onOutcome: (outcome: RunOutcome) => Promise<void> = async () => {},
): Promise<void> {
  let note = '';
  for (const { input } of plan) await store.look(input.folder, input.condition.name, input.seed);
  for (const { keys } of plan) if (store.has(keys[0])) await onOutcome(store.result(keys[0])!);
  const work = async ({ condition, seed, settings, folder }: ExperimentJob, on: TaskHooks<RunOutcome>): Promise<void> => {
    const directory = join(output, folder);
    const args = conditionArguments(condition, seed, settings, directory);
    const task = await conditionTask(runtime, condition, args, start, settings, message => hooks.onWarning?.(message));
    try {
      const onStep = (step: number, total: number, loss: number): void => {
        note = `${condition.title}, seed ${seed}: step ${step} of ${total}, loss ${loss.toFixed(3)}`;
        // The exams come after the last step.
        on.onProgress((0.7 * step) / total);
        hooks.onStep?.(step, total, loss);
      };
      const optimizer = conditionOptimizer(condition, args, task, settings);
      await logged(directory, [], hooks, (onStart, onLog) =>
        train(task, args, { signal: hooks.signal, onStart, onLog, onStep }, optimizer),
      );
      hooks.signal?.throwIfAborted();
      note = `${condition.title}, seed ${seed}: exams`;
      const words = settings.further_exams !== undefined && seed < WORDED_SEEDS;
      const outcomes = await measure(task, start.source.config, exams, settings.bottleneck_layer, { words, signal: hooks.signal });
      const posterior = posteriorOutcome((await readMetrics(directory)).filter(isTraining), task.bottleneck, settings.tune_steps);
      for (const warning of posterior?.warnings ?? []) hooks.onWarning?.(`${condition.title}, seed ${seed}: ${warning}`);
      const outcome: RunOutcome = { condition: condition.name, seed, outcomes, ...(posterior && { posterior }) };
      await on.onCell(folder, { result: outcome });
      await onOutcome(outcome);
    } finally {
      await task.close();
    }
  };
  await runPlan(plan, store, localPool<ExperimentJob, RunOutcome>(work), {
    label,
    unit: 'runs',
    signal: hooks.signal,
    progress: hooks.progress,
    note: () => note,
    onInfo: message => hooks.onResult?.(message),
  });
}

/** @file The runs of the experiment as a plan: each tunes a condition with a seed and sits the exams; what is done is on disk. */

import type { z } from 'zod';
import type { Task } from '../../jobs/cell.ts';
import { crewPool } from '../../jobs/crew-pool.ts';
import { localPool } from '../../jobs/local-pool.ts';
import { runPlan, type Store } from '../../jobs/run.ts';
import { readFile } from '../../node/disk.ts';
import { NarrowsError } from '../../system/errors.ts';
import { parsePlain } from '../../system/json-depth.ts';
import { readError } from '../../system/read-error.ts';
import { mean } from '../../tensor/statistics/descriptive.ts';
import { conditionsOf, inRunOrder } from './conditions.ts';
import type { PreparedExam } from './exams/exam.ts';
import type { ExperimentHooks } from './hooks.ts';
import type { ExamFacts, RunOutcome } from './outcome.ts';
import type { OutcomeStore } from './outcomes.ts';
import type { ExperimentSettings } from './settings.ts';
import type { Tunables } from './tune.ts';
import { type Bench, type ExperimentJob, tuneAndExamine } from './tune-and-examine.ts';

/** What a worker thread starts with: everything as plain data. */
export interface ExperimentWorkerStart {
  readonly settings: ExperimentSettings;
  readonly output: string;
  readonly numThreads: number;
}

/** What a worker thread is sent of a run. */
export interface ExperimentMessage {
  readonly job: ExperimentJob;
  readonly split: Sitting['split'];
}

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

/** A run as a task. */
export const taskOf = (input: ExperimentJob): Task<ExperimentJob> => ({ input, keys: [input.folder] });

/** The runs of an experiment, seed by seed, what decides first, so that a stop leaves complete comparisons. */
export const planExperiment = (settings: ExperimentSettings & Tunables, seeds: readonly number[]): Task<ExperimentJob>[] =>
  seeds.flatMap(seed =>
    inRunOrder(conditionsOf(settings)).map(condition => taskOf({ condition, seed, settings, folder: `runs/${condition.name}-${seed}` })),
  );

/** What all runs of an experiment share. */
export interface Laboratory extends Bench {
  readonly settings: ExperimentSettings;
  readonly hooks: ExperimentHooks;
}

/** Exams with what their scenes are for. */
export interface Sitting {
  readonly exams: readonly PreparedExam[];
  readonly split: 'test' | 'validation';
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
  { settings, hooks, ...bench }: Laboratory,
  store: OutcomeStore,
  plan: readonly Task<ExperimentJob>[],
  { exams, split }: Sitting,
  label: string,
  onOutcome: (outcome: RunOutcome, isNew: boolean) => Promise<void> = async () => {},
): Promise<void> {
  let note = '';
  for (const { input } of plan) await store.look(input.folder, input.condition.name, input.seed);
  for (const { keys } of plan) if (store.has(keys[0])) await onOutcome(store.result(keys[0])!, false);
  const work = localPool<ExperimentJob, RunOutcome>((job, on) => {
    const { condition, seed } = job;
    const tell = {
      onStep(step: number, total: number, loss: number) {
        note = `${condition.title}, seed ${seed}: step ${step} of ${total}, loss ${loss.toFixed(3)}`;
        hooks.onStep?.(step, total, loss);
      },
      onExams() {
        note = `${condition.title}, seed ${seed}: exams`;
      },
    };
    return tuneAndExamine(bench, exams, job, { ...on, onResult: hooks.onResult, ...tell });
  });
  const { crew } = hooks;
  const start: ExperimentWorkerStart | undefined = crew && { settings, output: bench.output, numThreads: crew.numThreads };
  const pool = crew
    ? crewPool<ExperimentJob, RunOutcome>(
        crew.threads,
        { module: 'worker', base: import.meta.url, workerData: start },
        (job): ExperimentMessage => ({ job, split }),
      )
    : work;
  // One is told of at a time, also where several processes finish runs: reports are written on the way.
  let told = Promise.resolve();
  const telling: Store<RunOutcome> = {
    has: key => store.has(key),
    async put(key, outcome) {
      await store.put(key, outcome);
      if (!('result' in outcome)) return;
      told = told.then(() => onOutcome(outcome.result, true));
      await told;
    },
    pace: kind => store.pace(kind),
    keepPace: (kind, pace) => store.keepPace(kind, pace),
  };
  await runPlan(plan, telling, pool, {
    label,
    unit: 'runs',
    signal: hooks.signal,
    progress: hooks.progress,
    note: () => note,
    onInfo: message => hooks.onResult?.(message),
    onWarning: message => hooks.onWarning?.(message),
  });
}

/**
 * @file The whole experiment: pre-training where there is no start yet, a choice of hyper-parameters on validation scenes, every condition
 * with every seed, all exams, tables. What is done is on disk; the same call resumes.
 */

import { z } from 'zod';
import { BOTTLENECK_WEIGHTS } from '../../bottleneck/gaussian/llava.ts';
import type { Task, TaskHooks } from '../../jobs/cell.ts';
import { localPool } from '../../jobs/local-pool.ts';
import { PaceFile } from '../../jobs/pace-file.ts';
import { runPlan } from '../../jobs/run.ts';
import { readFile } from '../../node/disk.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { lockOutput } from '../../node/output-lock.ts';
import { join } from '../../node/paths.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { loadSprites } from '../../scenes/sprites.ts';
import { NarrowsError } from '../../system/errors.ts';
import { readError } from '../../system/read-error.ts';
import { accuracies, compileTower, towerOf } from '../../tuning/llava/scene-task.ts';
import { llavaSource } from '../../tuning/llava/source.ts';
import { isTraining, readMetrics } from '../../tuning/tracking/metrics.ts';
import { train } from '../../tuning/trainer.ts';
import type { ExamFacts, RunOutcome } from './analyse.ts';
import { differenceChart } from './chart.ts';
import { type Condition, type ConditionName, conditionOf, conditionsOf, passesOn, titleOf } from './conditions.ts';
import { type PreparedExam, prepareExams } from './exams.ts';
import { type ExperimentHooks, logged } from './hooks.ts';
import { measure } from './measure.ts';
import { OutcomeStore } from './outcomes.ts';
import { posteriorOutcome } from './posterior.ts';
import { pretrain } from './pretrain.ts';
import { experimentMarkdown } from './report.ts';
import type { ExperimentSettings } from './settings.ts';
import { conditionArguments, conditionOptimizer, conditionTask, type ExperimentStart, type Tunables } from './tune.ts';

const toJson = (value: unknown): string => `${JSON.stringify(value)}\n`;

/** The content of a JSON file; undefined where there is none. @throws NarrowsError naming one that cannot be read or is of another form */
async function readOr<T>(path: string, schema: z.ZodType<T>, remedy: string): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw readError(path, error);
  });
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new NarrowsError(`${path} is damaged or was not written by this experiment; ${remedy}.`);
  }
}

const chosenSchema = z.looseObject({
  chosen: z.object({
    ...{ beta: z.number(), alpha_end: z.number(), bottleneck_layer: z.number(), weight_decay: z.number() },
    beta_pass: z.number().optional(),
  }),
  scores: z.array(z.looseObject({})).default([]),
});

/** A run as a task of the plan; its folder is its key. */
export interface ExperimentJob {
  readonly condition: Condition;
  readonly seed: number;
  readonly settings: ExperimentSettings & Tunables;
  /** Relative to the experiment's directory. */
  readonly folder: string;
}

const taskOf = (input: ExperimentJob): Task<ExperimentJob> => ({ input, keys: [input.folder] });

/** The runs of an experiment, seed by seed, so that a stop leaves complete comparisons. */
export const planExperiment = (settings: ExperimentSettings & Tunables, seeds: readonly number[]): Task<ExperimentJob>[] =>
  seeds.flatMap(seed =>
    conditionsOf(settings).map(condition => taskOf({ condition, seed, settings, folder: `runs/${condition.name}-${seed}` })),
  );

/** What all runs of an experiment share. */
interface Laboratory {
  readonly runtime: Runtime;
  readonly output: string;
  readonly start: ExperimentStart;
  readonly store: OutcomeStore;
  readonly hooks: ExperimentHooks;
}

/** Does what is missing of a plan: each run tunes a condition with a seed and lets it sit the exams. */
async function runAll(
  { runtime, output, start, store, hooks }: Laboratory,
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
        on.onProgress((0.9 * step) / total);
        hooks.onStep?.(step, total, loss);
      };
      const optimizer = conditionOptimizer(condition, args, task, settings);
      await logged(directory, [], hooks, (onStart, onLog) =>
        train(task, args, { signal: hooks.signal, onStart, onLog, onStep }, optimizer),
      );
      hooks.signal?.throwIfAborted();
      note = `${condition.title}, seed ${seed}: exams`;
      const outcomes = await measure(task, start.source.config, exams, settings.bottleneck_layer, hooks.signal);
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

/** Candidates for each hyper-parameter; chosen one after the other, the others at their defaults or as chosen before. */
const CANDIDATES: readonly { readonly condition: ConditionName; readonly key: keyof Tunables; readonly values: readonly number[] }[] = [
  { condition: 'vittle-f', key: 'beta', values: [0.01, 0.1, 1] },
  { condition: 'vittle-f', key: 'bottleneck_layer', values: [1, 2] },
  { condition: 'vittle-f', key: 'alpha_end', values: [0.25, 0.5] },
  { condition: 'weight-decay', key: 'weight_decay', values: [1, 10] },
];

/** That of the conditions that begin by passing on: their KL starts at more than a nat, so that the published form's β is no guide. */
const PASS_CANDIDATES: typeof CANDIDATES = [{ condition: 'vittle-f-pass', key: 'beta_pass', values: [0.001, 0.01, 0.1] }];

/** Accuracy on the validation exams together. */
function score(outcome: RunOutcome, exams: readonly PreparedExam[]): number {
  const values = exams.map(({ id, exam }) => {
    const correct = [...outcome.outcomes[id].correct].map(c => c === '1');
    return accuracies(exam, { correct, tokenAccuracy: outcome.outcomes[id].tokens.map(t => t / 1000), logLikelihood: [] }).accuracy;
  });
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** Hyper-parameters as the settings give them. */
const givenTunables = ({ beta, alpha_end, bottleneck_layer, weight_decay, beta_pass }: ExperimentSettings): Tunables => ({
  ...{ beta, alpha_end, bottleneck_layer, weight_decay },
  // Names of folders are made of these: no key without a value.
  ...(beta_pass === undefined ? {} : { beta_pass }),
});

/**
 * Chooses hyper-parameters by accuracy on clean and corrupted validation scenes; seed 1000, which no test run has. What an earlier call chose
 * stays; conditions that came later add what is theirs.
 */
async function choose(laboratory: Laboratory, settings: ExperimentSettings, exams: readonly PreparedExam[]): Promise<Tunables> {
  const { output, start, store, hooks } = laboratory;
  const path = join(output, 'chosen.json');
  const known = await readOr(path, chosenSchema, 'delete it to have the choice made again');
  const wanted = [...(known ? [] : CANDIDATES), ...(conditionsOf(settings).some(passesOn) ? PASS_CANDIDATES : [])].filter(
    ({ key }) => known?.chosen[key] === undefined,
  );
  if (known && wanted.length === 0) return known.chosen;
  let chosen: Tunables = known?.chosen ?? givenTunables(settings);
  const scores: object[] = [...(known?.scores ?? [])];
  const runs = scores.length + wanted.flatMap(c => c.values).length;
  const seen = new Map<string, number>();
  for (const { condition: name, key, values } of wanted) {
    const condition = conditionOf(name);
    let best: { value: number; score: number } | undefined;
    for (const value of values) {
      if (key === 'bottleneck_layer' && value >= start.source.config.text_config.num_hidden_layers) continue;
      const tunables = { ...chosen, [key]: value };
      const id = `${name} ${JSON.stringify(tunables)}`;
      let result = seen.get(id);
      if (result === undefined) {
        const folder = `validation/${name}-${Object.values(tunables).join('-')}`;
        const task = taskOf({ condition, seed: 1000, settings: { ...settings, ...tunables }, folder });
        await runAll(laboratory, [task], exams, `Choosing ${key} (${scores.length + 1} of ${runs})`);
        result = score(store.result(folder)!, exams);
        seen.set(id, result);
      }
      scores.push({ condition: name, ...tunables, accuracy: result });
      hooks.onResult?.(`validation, ${name}, ${key} ${value}: accuracy ${result.toFixed(3)}`);
      if (!best || result > best.score) best = { value, score: result };
    }
    chosen = { ...chosen, [key]: best!.value };
  }
  await writeFileAtomic(path, toJson({ chosen, scores }));
  return chosen;
}

const factsOf = ({ id, group, exam }: PreparedExam): ExamFacts => ({
  id,
  group,
  items: exam.items.map(({ scene, instruction: { task, question, answer } }) => ({ scene, task, question, answer })),
});

/**
 * Runs the experiment in `output`, or goes on with it. Writes `settings.json`, `chosen.json` (where it chooses), `exams.json`, `runs/CONDITION-SEED/`,
 * `report.md`, `chart.svg` and `results.json`. @returns whether it is finished
 * @throws NarrowsError (usage) where the directory belongs to an experiment of other settings
 */
export async function runExperiment(
  runtime: Runtime,
  output: string,
  settings: ExperimentSettings,
  hooks: ExperimentHooks = {},
): Promise<boolean> {
  await using lock = await lockOutput(output);
  if (lock.takenOver) hooks.onResult?.(lock.takenOver);
  const claimed = join(output, 'settings.json');
  const before = await readOr(claimed, z.looseObject({}), 'choose another directory');
  // Seeds and conditions may be added: the runs that are there stay what they are.
  const fixed = (of: object): string => toJson({ ...of, seeds: 0, conditions: undefined });
  if (before && fixed(before) !== fixed(settings))
    throw new NarrowsError(`${output} holds an experiment of other settings (see its settings.json); choose another directory.`, {
      kind: 'usage',
    });
  await writeFileAtomic(claimed, toJson(settings));
  const world = await loadSprites();
  if (!(await pretrain(runtime, settings, world, hooks))) return false;
  if (hooks.onlyStart) return true;
  const source = await llavaSource(settings.start);
  if (source.bottleneck)
    throw new NarrowsError(`${settings.start} has a bottleneck already (${BOTTLENECK_WEIGHTS}); the experiment starts without.`, {
      kind: 'usage',
    });
  const start: ExperimentStart = { source, world };
  const warn = (message: string): void => hooks.onWarning?.(message);
  const store = new OutcomeStore(output, warn, await PaceFile.open(join(output, 'times.json'), warn));
  const laboratory: Laboratory = { runtime, output, start, store, hooks };
  const tower = await compileTower(runtime, towerOf(source));
  const prepare = async (split: 'test' | 'validation'): Promise<PreparedExam[]> => prepareExams(towerOf(source), tower, settings, split);
  try {
    const tunables = settings.choose ? await choose(laboratory, settings, await prepare('validation')) : givenTunables(settings);
    const exams = await prepare('test');
    await tower.release();
    await writeFileAtomic(join(output, 'exams.json'), toJson(exams.map(factsOf)));
    const unknown = (hooks.onlySeeds ?? []).filter(seed => !Number.isInteger(seed) || seed < 0 || seed >= settings.seeds);
    if (unknown.length > 0)
      throw new NarrowsError(`There is no seed ${unknown.join(', ')}: the experiment has the seeds 0 to ${settings.seeds - 1}.`, {
        kind: 'usage',
      });
    const seeds = Array.from({ length: settings.seeds }, (_, seed) => seed).filter(seed => hooks.onlySeeds?.includes(seed) ?? true);
    const plan = planExperiment({ ...settings, ...tunables }, seeds);
    const last = conditionsOf(settings).at(-1)!.name;
    let upToDate = false;
    const report = async (): Promise<void> => {
      await writeReport(output, settings, tunables, finished(store, plan), exams.map(factsOf));
      upToDate = true;
    };
    await runAll(laboratory, plan, exams, 'Tuning', async outcome => {
      hooks.onResult?.(`${titleOf(outcome.condition)}, seed ${outcome.seed}: ${summary(outcome, exams)}`);
      upToDate = false;
      // After each seed, so that a stop leaves a report.
      if (outcome.condition === last) await report();
    });
    // A run that was missing in the midst of finished ones comes after the last of them.
    if (!upToDate) await report();
    return true;
  } catch (error) {
    if (hooks.signal?.aborted) return false;
    throw error;
  }
}

/** Outcomes of a plan so far, in its order. */
const finished = (store: OutcomeStore, plan: readonly Task<ExperimentJob>[]): RunOutcome[] =>
  plan.flatMap(({ keys }) => store.result(keys[0]) ?? []);

function summary(outcome: RunOutcome, exams: readonly PreparedExam[]): string {
  const of = (group: string): string =>
    score(
      outcome,
      exams.filter(e => e.group === group),
    ).toFixed(3);
  return `clean ${of('clean')}, styles ${of('style')}, images ${of('image')}, texts ${of('text')}`;
}

/** Tables, chart and all numbers of the runs so far. */
export async function writeReport(
  output: string,
  settings: ExperimentSettings,
  tunables: Tunables,
  runs: readonly RunOutcome[],
  exams: readonly ExamFacts[],
): Promise<void> {
  const origin = settings.choose ? 'Chosen on validation scenes' : 'Nothing was chosen on validation scenes; taken from the settings';
  const facts = `Settings: ${JSON.stringify(settings)}\n\n${origin}: ${JSON.stringify(tunables)}`;
  await writeFileAtomic(
    join(output, 'report.md'),
    `# Vittle on scenes\n\n${facts}\n\n${experimentMarkdown(runs, exams, settings.smallest_effect)}`,
  );
  await writeFileAtomic(join(output, 'chart.svg'), differenceChart(runs, exams));
  await writeFileAtomic(
    join(output, 'results.json'),
    toJson({ schemaVersion: 1, settings, ...(settings.choose ? { chosen: tunables } : { given: tunables }), runs }),
  );
}

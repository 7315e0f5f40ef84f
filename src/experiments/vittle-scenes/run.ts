/**
 * @file The whole experiment: pre-training where there is no start yet, a choice of hyper-parameters on validation scenes, every condition
 * with every seed, all exams, tables. What is done is on disk; the same call resumes.
 */

import { z } from 'zod';
import { BOTTLENECK_WEIGHTS } from '../../bottleneck/gaussian/llava.ts';
import type { Task } from '../../jobs/cell.ts';
import { PaceFile } from '../../jobs/pace-file.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { roomyHeap } from '../../node/heap.ts';
import { lockOutput } from '../../node/output-lock.ts';
import { join } from '../../node/paths.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { loadSprites } from '../../scenes/sprites.ts';
import { NarrowsError } from '../../system/errors.ts';
import { compileTower, towerOf } from '../../tuning/llava/scene-task.ts';
import { llavaSource } from '../../tuning/llava/source.ts';
import { TowerCache } from '../../tuning/llava/tower-cache.ts';
import { carryOver, checkStart, sameSettings } from './carry-over.ts';
import { type EmidTable, runName } from './cells.ts';
import { differenceChart } from './chart.ts';
import { choose, givenTunables } from './choose.ts';
import { conditionsOf, titleOf } from './conditions.ts';
import { measureEmid, worded } from './emid.ts';
import type { PreparedExam } from './exams/exam.ts';
import { prepareExams } from './exams/prepare.ts';
import type { ExperimentHooks } from './hooks.ts';
import { factsOf, type Laboratory, planExperiment, readOr, runAll, score, toJson } from './laboratory.ts';
import type { ExamFacts, RunOutcome } from './outcome.ts';
import { examsKey, OutcomeStore } from './outcomes.ts';
import { pretrain } from './pretrain.ts';
import { type Beside, experimentMarkdown } from './report.ts';
import type { ExperimentSettings } from './settings.ts';
import type { Tunables } from './tune.ts';
import type { ExperimentJob } from './tune-and-examine.ts';
import { examineStart, lookAtStart, startOutcome } from './untuned.ts';

/**
 * Runs the experiment in `output`, or goes on with it. Writes `settings.json`, `chosen.json` (where it chooses), `exams.json`, `runs/CONDITION-SEED/`,
 * `results/CONDITION-SEED.json.gz` (all that is needed of a run; `untuned-0` is the start before tuning),
 * `report.md`, `chart.svg` and `results.json`. @returns whether it is finished
 * @throws NarrowsError (usage) where the directory belongs to an experiment of other settings
 */
export async function runExperiment(
  runtime: Runtime,
  output: string,
  settings: ExperimentSettings,
  hooks: ExperimentHooks = {},
): Promise<boolean> {
  // The exams, too: between the runs V8 would walk the exams' many questions several times a second.
  using _ = roomyHeap();
  await using lock = await lockOutput(output);
  if (lock.takenOver) hooks.onResult?.(lock.takenOver);
  const claimed = join(output, 'settings.json');
  const before = await readOr(claimed, z.looseObject({}), 'choose another directory');
  const device = runtime.device ?? 'cpu';
  const claim = { ...settings, ...(device === 'cpu' ? {} : { device }) };
  const was = before?.device ?? 'cpu';
  if (before && was !== device)
    throw new NarrowsError(
      `${output} holds an experiment on the device "${was}" and this call computes on "${device}", whose results are not the same to the bit: add --device ${was}, or choose another directory.`,
      { kind: 'usage' },
    );
  if (before && !sameSettings(before, claim))
    throw new NarrowsError(`${output} holds an experiment of other settings (see its settings.json); choose another directory.`, {
      kind: 'usage',
    });
  if (hooks.resumeFrom !== undefined) {
    const count = await carryOver(hooks.resumeFrom, output, claim);
    hooks.onResult?.(`${count} finished runs taken up from ${hooks.resumeFrom}`);
  }
  await writeFileAtomic(claimed, toJson(claim));
  const world = await loadSprites();
  if (!(await pretrain(runtime, settings, world, hooks))) return false;
  if (hooks.onlyStart) return true;
  const source = await llavaSource(settings.start);
  if (source.bottleneck)
    throw new NarrowsError(`${settings.start} has a bottleneck already (${BOTTLENECK_WEIGHTS}); the experiment starts without.`, {
      kind: 'usage',
    });
  await checkStart(output, source);
  const tower = await compileTower(runtime, towerOf(source));
  const warn = (message: string): void => hooks.onWarning?.(message);
  const start = { source, world, tower: new TowerCache(tower) };
  const laboratory: Laboratory = { runtime, output, start, settings, hooks };
  const prepare = async (split: 'test' | 'validation') => prepareExams(towerOf(source), tower, settings, split);
  let report: (() => Promise<void>) | undefined;
  try {
    const validation = async () => (hooks.onlyReport ? undefined : await prepare('validation'));
    const tunables = settings.choose ? await choose(laboratory, await validation()) : givenTunables(settings);
    const exams = await prepare('test');
    const facts = exams.map(factsOf);
    await writeFileAtomic(join(output, 'exams.json'), toJson(facts));
    const store = new OutcomeStore(output, facts, warn, await PaceFile.open(join(output, 'times.json'), warn));
    const unknown = (hooks.onlySeeds ?? []).filter(seed => !Number.isInteger(seed) || seed < 0 || seed >= settings.seeds);
    if (unknown.length > 0)
      throw new NarrowsError(`There is no seed ${unknown.join(', ')}: the experiment has the seeds 0 to ${settings.seeds - 1}.`, {
        kind: 'usage',
      });
    const seeds = Array.from({ length: settings.seeds }, (_, seed) => seed).filter(seed => hooks.onlySeeds?.includes(seed) ?? true);
    const plan = planExperiment({ ...settings, ...tunables }, seeds);
    const baseline = conditionsOf(settings)[0].name;
    let upToDate = false;
    report = async () => {
      const runs = finished(store, plan);
      // Several processes end runs in any order: before the first plain one there is nothing that others could be held against.
      const comparable = runs.some(({ condition }) => condition === baseline);
      if (!upToDate && comparable)
        await writeReport(output, settings, tunables, runs, facts, { emid: await readEmid(output, facts), untuned: startOutcome(store) });
      upToDate = comparable;
    };
    if (hooks.onlyReport) {
      await lookAtStart(store);
      await lookAt(store, plan, output);
    } else {
      await examineStart(laboratory, tunables, exams, store);
      await runAll(laboratory, store, plan, { exams, split: 'test' }, 'Tuning', async (outcome, isNew) => {
        hooks.onResult?.(`${titleOf(outcome.condition)}, seed ${outcome.seed}: ${summary(outcome, facts)}`);
        upToDate = false;
        // After each seed, so that a stop leaves a report; what was there before is reported on once, in the end: with many runs a report takes a minute.
        const complete = plan.every(({ input, keys }) => input.seed !== outcome.seed || store.has(keys[0]));
        if (isNew && complete) await report!();
      });
    }
    // A run that was missing in the midst of finished ones comes after the last of them.
    await report();
    if (hooks.emid) {
      await findEmid(laboratory, exams, finished(store, plan), settings);
      upToDate = false;
      await report();
    }
    return true;
  } catch (error) {
    if (!hooks.signal?.aborted) throw error;
    await report?.();
    return false;
  } finally {
    await tower.release();
  }
}

/** Takes up what is finished. @throws NarrowsError (usage) where nothing is */
async function lookAt(store: OutcomeStore, plan: readonly Task<ExperimentJob>[], output: string): Promise<void> {
  for (const { input } of plan) await store.look(input.folder, input.condition.name, input.seed);
  if (finished(store, plan).length === 0)
    throw new NarrowsError(`No run of ${output} is finished; there is nothing to report on yet.`, { kind: 'usage' });
}

/** What stands in emid.json. */
const emidSchema = z.object({ exams: z.string(), table: z.record(z.string(), z.record(z.string(), z.number())) });

/** EMID as an earlier call measured it on these exams. */
async function readEmid(output: string, exams: readonly ExamFacts[]): Promise<EmidTable | undefined> {
  const known = await readOr(join(output, 'emid.json'), emidSchema, 'delete it to have it measured again');
  return known?.exams === examsKey(exams) ? known.table : undefined;
}

/** Measures EMID of the runs that lack it. */
async function findEmid(
  { runtime, output, hooks }: Laboratory,
  exams: readonly PreparedExam[],
  runs: readonly RunOutcome[],
  settings: ExperimentSettings,
): Promise<void> {
  const facts = exams.map(factsOf);
  const before = (await readEmid(output, facts)) ?? {};
  const open = worded(runs).filter(run => !(runName(run) in before));
  if (open.length === 0) return;
  const size = Math.round(Math.sqrt(exams[0].images[0].length / 3));
  // Estimators are trained on pictures, questions and right answers only: values of before stay what they are.
  const table = await measureEmid(runtime, settings.start, exams, open, { size, signal: hooks.signal, onStage: hooks.onResult });
  await writeFileAtomic(join(output, 'emid.json'), toJson({ exams: examsKey(facts), table: { ...before, ...table } }));
}

/** Outcomes of a plan so far, in its order. */
const finished = (store: OutcomeStore, plan: readonly Task<ExperimentJob>[]): RunOutcome[] =>
  plan.flatMap(({ keys }) => store.result(keys[0]) ?? []);

/** Groups of exams that a line about a run names. */
const NAMED = { clean: 'clean', style: 'styles', image: 'images', text: 'texts', joint: 'joint', tail: 'long tail', cue: 'cue' } as const;

function summary(outcome: RunOutcome, exams: readonly ExamFacts[]): string {
  return Object.entries(NAMED)
    .flatMap(([group, title]) => {
      const of = exams.filter(exam => exam.group === group);
      return of.length > 0 ? [`${title} ${score(outcome, of).toFixed(3)}`] : [];
    })
    .join(', ');
}

/** Tables, chart and all numbers of the runs so far. */
export async function writeReport(
  output: string,
  settings: ExperimentSettings,
  tunables: Tunables,
  runs: readonly RunOutcome[],
  exams: readonly ExamFacts[],
  beside: Beside = {},
): Promise<void> {
  if (runs.length === 0) return;
  const origin = settings.choose ? 'Chosen on validation scenes' : 'Nothing was chosen on validation scenes; taken from the settings';
  const facts = `Settings: ${JSON.stringify(settings)}\n\n${origin}: ${JSON.stringify(tunables)}`;
  await writeFileAtomic(
    join(output, 'report.md'),
    `# Vittle on scenes\n\n${facts}\n\n${experimentMarkdown(runs, exams, settings.smallest_effect, beside)}`,
  );
  await writeFileAtomic(join(output, 'chart.svg'), differenceChart(runs, exams));
  await writeFileAtomic(
    join(output, 'results.json'),
    toJson({
      ...{ schemaVersion: 1, settings, ...(settings.choose ? { chosen: tunables } : { given: tunables }), runs },
      ...(beside.untuned && { untuned: beside.untuned }),
    }),
  );
}

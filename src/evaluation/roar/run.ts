/**
 * @file A ROAR+ run (M2IB, arXiv 2312.17174, section 5): what a map holds highest is taken out of the pairs, the model is trained again on what
 * is left by `narrows train clip`'s own code, and retrieval on fresh pairs tells how much was lost. The zero-shot values are given too.
 */
import type { Outcome, Pool } from '../../jobs/cell.ts';
import { crewPool } from '../../jobs/crew-pool.ts';
import { localPool } from '../../jobs/local-pool.ts';
import type { RankThreads } from '../../jobs/rank-threads.ts';
import { type RunHooks, runPlan } from '../../jobs/run.ts';
import { CellStore } from '../../jobs/store.ts';
import type { CLIPModel } from '../../models/pretrained.ts';
import { access, readFile } from '../../node/disk.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { createHash } from '../../node/hash.ts';
import { lockOutput } from '../../node/output-lock.ts';
import { join } from '../../node/paths.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { loadSprites } from '../../scenes/sprites.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Logger } from '../../system/log.ts';
import { version } from '../../system/version.ts';
import { picturesAreThere } from './folder.ts';
import { chunksOf, planRoar, type RoarJob, type RoarSpec, roarKey, UNTOUCHED } from './plan.ts';
import type { RoarResults } from './report.ts';
import { cellSchema, type Pairs, type RoarCell, type RoarCells, type RoarSetup, RoarWork, type Scores } from './work.ts';

/** How a run is watched and ended. */
export interface RoarHooks extends Pick<RunHooks<RoarCell>, 'signal' | 'progress' | 'onInfo' | 'onWarning'> {
  /** Warnings of the trainings. */
  readonly log: Logger;
  /** Threads of other processes that share the work. Results are the same. */
  readonly crew?: RankThreads;
  /** Threads of the engine, of each process; 0: all cores, or this process's share of them. */
  readonly threads?: number;
  /** Modules with methods, which those threads load too. */
  readonly plugins?: readonly string[];
}

/** What a worker thread starts with. */
export interface RoarStart {
  readonly directory: string;
  readonly key: string;
  readonly spec: RoarSpec;
  /** Names the model. */
  readonly reference: string;
  readonly threads: number;
  readonly plugins: readonly string[];
}

/** What a worker thread is sent of a job: the cells that it stands on go with it, so that it needs no store. */
export interface RoarMessage {
  readonly job: RoarJob;
  readonly known: readonly (readonly [string, Outcome<RoarCell>])[];
}

/** A directory belongs to one set of settings. @throws NarrowsError where it holds a run with others, or of an older version */
async function claim(directory: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
  const path = join(directory, 'settings.json');
  // More methods or seeds may be added to a run; what the others stand on may not change.
  const { methods: _, seeds: __, json: ___, quiet: ____, debug: _____, ...fixed } = settings;
  const text = JSON.stringify(fixed);
  const there = await readFile(path, 'utf8').catch(() => undefined);
  if (there === undefined) return writeFileAtomic(path, text);
  if (there !== text)
    throw new NarrowsError(`${directory} holds a ROAR+ run with other settings; choose another --output.`, { kind: 'usage' });
  await access(join(directory, 'cells.jsonl')).catch(() => {
    throw new NarrowsError(`${directory} holds a ROAR+ run of an older version, which cannot be checked; choose another --output.`, {
      kind: 'usage',
    });
  });
}

/**
 * Does what is missing of a run and gives its results. Stopped anywhere, the same call goes on from there.
 * @param reference names the model, for the trainings; @param settings as they are kept; everything but methods and seeds must be the same
 * @returns results of all methods without a failure, and the reasons of the others
 * @throws NarrowsError for a directory of other settings, or in which another process is at work; the signal's reason when aborted
 */
export async function runRoar(
  directory: string,
  spec: RoarSpec,
  model: CLIPModel,
  { reference, settings }: { readonly reference: string; readonly settings: Readonly<Record<string, unknown>> },
  hooks: RoarHooks,
): Promise<{ readonly results: RoarResults; readonly failures: Readonly<Record<string, string>> }> {
  const folders = [UNTOUCHED, ...spec.methods].flatMap(name => [name, `${name}/train`, `${name}/validation`]);
  await using lock = await lockOutput(directory, 'directory', { folders });
  if (lock.takenOver) hooks.onInfo?.(lock.takenOver);
  await claim(directory, settings);
  const onWarning = hooks.onWarning ?? ((message: string) => hooks.log.warn(message, message));
  await using store = await CellStore.open<RoarCell>(join(directory, 'cells.jsonl'), {
    kind: 'roar',
    version: 1,
    schema: cellSchema,
    onWarning,
  });
  const { methods: _, seeds: __, ...fixed } = spec;
  const sha256 = await model.sha256();
  const key = createHash('sha256')
    .update(JSON.stringify([version, sha256, fixed]))
    .digest('hex')
    .slice(0, 16);
  const plan = planRoar(key, spec);
  const lost = new Set<string>();
  for (const { input, keys } of plan) {
    const cell = input.kind === 'pairs' ? (store.result(keys[0]) as Pairs | undefined) : undefined;
    if (cell && !(await picturesAreThere(join(directory, input.name), cell.pairs))) lost.add(keys[0]);
  }
  if (lost.size > 0)
    onWarning(`Pictures of ${lost.size} finished chunks are missing or were changed in ${directory}; they are computed again.`);
  let now = '';
  const pool = hooks.crew
    ? sharedPool(hooks.crew, { directory, key, spec, reference, threads: hooks.threads ?? 0, plugins: hooks.plugins ?? [] }, store)
    : ownPool(
        {
          directory,
          key,
          spec,
          model,
          reference,
          runtime: nodeRuntime({ threads: hooks.threads }),
          debug: message => hooks.log.debug(message),
        },
        store,
        job => {
          now = job.kind === 'training' ? `${job.name}, training ${job.seed + 1}` : job.name;
        },
      );
  const isOpen = ({ keys }: { readonly keys: readonly string[] }): boolean => !store.has(keys[0]) || lost.has(keys[0]);
  await runPlan(plan, store, pool, { ...hooks, onWarning, label: 'ROAR+', unit: 'pairs', note: () => now, isOpen });
  const scores = (job: RoarJob): number[] | undefined => (store.result(roarKey(key, job)) as Scores | undefined)?.scores;
  const failures: Record<string, string> = {};
  const outcomeOf = (name: string) => {
    const zeroShot = scores({ kind: 'zero-shot', name });
    const seeds = Array.from({ length: spec.maxSteps > 0 ? spec.seeds : 0 }, (_, seed) => scores({ kind: 'training', name, seed }));
    if (!zeroShot || seeds.some(s => !s)) {
      const reasons = plan.filter(({ input }) => input.name === name).map(({ keys }) => store.failure(keys[0]));
      failures[name] = reasons.find(reason => reason !== undefined) ?? 'it was not computed';
      return undefined;
    }
    return { zeroShot, retrained: zeroShot.map((_, i) => seeds.map(s => s![i])) };
  };
  const untouched = outcomeOf(UNTOUCHED);
  if (!untouched) throw new NarrowsError(`The untouched pairs cannot be judged: ${failures[UNTOUCHED]}`);
  const methods = spec.methods.flatMap(name => {
    const outcome = outcomeOf(name);
    return outcome ? [{ name, ...outcome }] : [];
  });
  return { results: { schemaVersion: 1, model: { name: model.name, sha256 }, settings, untouched, methods }, failures };
}

/** This thread. @param onJob called before each job */
function ownPool(setup: Omit<RoarSetup, 'world'>, cells: RoarCells, onJob: (job: RoarJob) => void): Pool<RoarJob, RoarCell> {
  return {
    width: 1,
    async run(tasks, hooksOf, signal) {
      const work = new RoarWork({ ...setup, world: await loadSprites({}) });
      try {
        const run = localPool<RoarJob, RoarCell>((job, on) => {
          onJob(job);
          return work.run(job, cells, on);
        });
        await run.run(tasks, hooksOf, signal);
      } finally {
        await work.release();
      }
    },
  };
}

/** A thread of each process. Pairs are made before what stands on them is handed out. */
function sharedPool(crew: RankThreads, start: RoarStart, store: CellStore<RoarCell>): Pool<RoarJob, RoarCell> {
  const knownOf = ({ kind, name }: RoarJob): RoarMessage['known'] => {
    if (kind === 'pairs') return [];
    const chunks = (['train', 'validation'] as const).flatMap(split => chunksOf(start.spec, name, split));
    return chunks.flatMap((job): RoarMessage['known'] => {
      const at = roarKey(start.key, job);
      const [result, failure] = [store.result(at), store.failure(at)];
      if (result) return [[at, { result }]];
      return failure === undefined ? [] : [[at, { failure }]];
    });
  };
  const message = (job: RoarJob): RoarMessage => ({ job, known: knownOf(job) });
  const pool = crewPool<RoarJob, RoarCell>(crew, { module: 'worker', base: import.meta.url, workerData: start }, message);
  return {
    width: pool.width,
    async run(tasks, hooksOf, signal) {
      const made = tasks.filter(({ input }) => input.kind === 'pairs');
      await pool.run(made, hooksOf, signal);
      await pool.run(
        tasks.filter(task => !made.includes(task)),
        hooksOf,
        signal,
      );
    },
  };
}

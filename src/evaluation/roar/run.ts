/**
 * @file A ROAR+ run (M2IB, arXiv 2312.17174, section 5): what a map holds highest is taken out of the pairs, the model is trained again on what
 * is left by `narrows train clip`'s own code, and retrieval on fresh pairs tells how much was lost. The zero-shot values are given too.
 */
import { z } from 'zod';
import type { Attributor } from '../../attribution/attributor.ts';
import { createMethod, findMethod } from '../../attribution/registry.ts';
import type { Outcome, TaskHooks } from '../../jobs/cell.ts';
import { localPool } from '../../jobs/local-pool.ts';
import { type RunHooks, runPlan } from '../../jobs/run.ts';
import { CellStore } from '../../jobs/store.ts';
import { CLIPModel } from '../../models/pretrained.ts';
import { access, readFile } from '../../node/disk.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { createHash } from '../../node/hash.ts';
import { lockOutput } from '../../node/output-lock.ts';
import { join } from '../../node/paths.ts';
import { loadSprites } from '../../scenes/sprites.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Logger } from '../../system/log.ts';
import { version } from '../../system/version.ts';
import { parseArguments } from '../../tuning/arguments.ts';
import { clipTrainingSchema } from '../../tuning/clip/arguments.ts';
import { trainClip } from '../../tuning/clip/train.ts';
import { type FolderOptions, filePairs, picturesAreThere, type WrittenPair, writePairs } from './folder.ts';
import { chunksOf, planRoar, type RoarJob, type RoarSpec, roarKey, UNTOUCHED } from './plan.ts';
import type { RoarResults } from './report.ts';
import { type FilePair, retrieval } from './retrieval.ts';

const pairsSchema = z.strictObject({ pairs: z.array(z.strictObject({ image: z.string(), bytes: z.number(), caption: z.string() })) });
const scoresSchema = z.strictObject({ scores: z.array(z.number()) });
const cellSchema = z.union([pairsSchema, scoresSchema]);
type RoarCell = z.infer<typeof cellSchema>;

/** How a run is watched and ended. */
export interface RoarHooks extends Pick<RunHooks<RoarCell>, 'signal' | 'progress' | 'onInfo' | 'onWarning'> {
  /** Warnings of the trainings. */
  readonly log: Logger;
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

/** What a run works with. */
interface RoarSetup {
  readonly directory: string;
  readonly key: string;
  readonly spec: RoarSpec;
  readonly base: Omit<FolderOptions, 'split' | 'samples'>;
  readonly model: CLIPModel;
  /** Names the model, for the trainings. */
  readonly reference: string;
  readonly store: CellStore<RoarCell>;
  readonly log: Logger;
}

/** One run at work. */
class RoarRun {
  private attributor: { readonly name: string; readonly method: Attributor } | undefined;

  constructor(private readonly setup: RoarSetup) {}

  /** Pairs of a split. @throws NarrowsError where some could not be made */
  private pairs(name: string, split: 'train' | 'validation'): WrittenPair[] {
    return chunksOf(this.setup.spec, name, split).flatMap(job => {
      const key = roarKey(this.setup.key, job);
      const cell = this.setup.store.result(key) as z.infer<typeof pairsSchema> | undefined;
      if (!cell) throw new NarrowsError(`its ${split} pairs could not be made: ${this.setup.store.failure(key)}`);
      return cell.pairs;
    });
  }

  private async method(name: string): Promise<Attributor | undefined> {
    if (this.attributor?.name !== name) {
      await this.release();
      if (name !== UNTOUCHED) this.attributor = { name, method: createMethod(findMethod(name)!, this.setup.model) };
    }
    return this.attributor?.method;
  }

  readonly work = async (job: RoarJob, hooks: TaskHooks<RoarCell>): Promise<void> =>
    hooks.onCell(roarKey(this.setup.key, job), await this.outcome(job, hooks));

  private async outcome(job: RoarJob, hooks: TaskHooks<RoarCell>): Promise<Outcome<RoarCell>> {
    const folder = join(this.setup.directory, job.name);
    try {
      if (job.kind === 'pairs') {
        const samples = job.split === 'train' ? this.setup.spec.samples : this.setup.spec.validationSamples;
        const options = { ...this.setup.base, split: job.split, samples };
        return { result: { pairs: await writePairs(folder, options, job.from, await this.method(job.name), hooks) } };
      }
      const validation = filePairs(folder, this.pairs(job.name, 'validation'));
      if (job.kind === 'zero-shot') return { result: { scores: await retrieval(this.setup.model, validation) } };
      return { result: { scores: await this.train(job.name, job.seed, folder, validation, hooks) } };
    } catch (error) {
      hooks.signal?.throwIfAborted();
      // A full disk is no fault of the map: it ends the run.
      if (!(error instanceof NarrowsError) || (error.cause as { code?: string } | undefined)?.code) throw error;
      hooks.onWarning(`${job.name}: ${error.message}`);
      return { failure: error.message };
    }
  }

  /** Trains on a folder. @returns the retrieval per validation pair */
  private async train(
    name: string,
    seed: number,
    folder: string,
    validation: readonly FilePair[],
    { signal, onProgress }: TaskHooks<RoarCell>,
  ): Promise<number[]> {
    const output = join(folder, `run-${seed}`);
    const file = join(folder, 'train.jsonl');
    const lines = this.pairs(name, 'train').map(({ image, caption }) => `${JSON.stringify({ image, caption })}\n`);
    await writeFileAtomic(file, lines.join(''));
    const { maxSteps, batchSize, learningRate } = this.setup.spec;
    const args = parseArguments(
      clipTrainingSchema,
      {
        output_dir: output,
        model: this.setup.reference,
        train_file: file,
        max_steps: maxSteps,
        per_device_train_batch_size: batchSize,
        learning_rate: learningRate,
        weight_decay: 0.05,
        warmup_steps: 0.05,
        eval_steps: maxSteps,
        save_steps: maxSteps,
        save_total_limit: 1,
        seed,
      },
      'the training arguments',
    );
    // The run's bar is the only one.
    const log: Logger = { ...this.setup.log, info: message => this.setup.log.debug(message) };
    await trainClip(args, { signal, log, quiet: true, onProgress: (step, total) => onProgress(Math.min(0.99, step / total)) });
    signal?.throwIfAborted();
    await using model = await CLIPModel.fromPretrained(output);
    return retrieval(model, validation);
  }

  async release(): Promise<void> {
    await this.attributor?.method.release();
    this.attributor = undefined;
  }
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
  const { onWarning } = hooks;
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
  const base = { world: await loadSprites({}), seed: spec.seed, percentile: spec.percentile, modality: spec.modality };
  const plan = planRoar(key, spec);
  const lost = new Set<string>();
  for (const { input, keys } of plan) {
    const cell = input.kind === 'pairs' ? (store.result(keys[0]) as z.infer<typeof pairsSchema> | undefined) : undefined;
    if (cell && !(await picturesAreThere(join(directory, input.name), cell.pairs))) lost.add(keys[0]);
  }
  if (lost.size > 0)
    onWarning?.(`Pictures of ${lost.size} finished chunks are missing or were changed in ${directory}; they are computed again.`);
  const run = new RoarRun({ directory, key, spec, base, model, reference, store, log: hooks.log });
  let now = '';
  try {
    await runPlan(
      plan,
      store,
      localPool<RoarJob, RoarCell>((job, on) => {
        now = job.kind === 'training' ? `${job.name}, training ${job.seed + 1}` : job.name;
        return run.work(job, on);
      }),
      { ...hooks, label: 'ROAR+', unit: 'pairs', note: () => now, isOpen: ({ keys }) => !store.has(keys[0]) || lost.has(keys[0]) },
    );
  } finally {
    await run.release();
  }
  const scores = (job: RoarJob): number[] | undefined =>
    (store.result(roarKey(key, job)) as z.infer<typeof scoresSchema> | undefined)?.scores;
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

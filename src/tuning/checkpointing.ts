/** @file Training checkpoints: a directory `checkpoint-N` that appears whole (renamed into place) and holds all that an exact resume needs. */

import { z } from 'zod';
import { openSafetensors, readJson, sha256File } from '../checkpoints/disk.ts';
import { readFloats, type TensorEntry } from '../checkpoints/safetensors.ts';
import { writeSafetensors } from '../checkpoints/write.ts';
import { readdir, rename, rm } from '../node/disk.ts';
import { makeDirectory, writeError, writeFileAtomic } from '../node/files.ts';
import { join } from '../node/paths.ts';
import type { Optimizer } from '../optim/adamw.ts';
import { messageOf, NarrowsError } from '../system/errors.ts';
import { floats } from '../tensor/tensor.ts';

const NAME = /^checkpoint-(\d+)$/;
/** Half-written or half-removed checkpoints, and files that `writeFileAtomic` was writing. */
const LEFTOVER = /^\.checkpoint-\d+\.(tmp|old)$|\.[0-9a-f]{12}\.tmp$/;

const stateSchema = z.looseObject({
  global_step: z.number().int().nonnegative(),
  optimizer_steps: z.number().int().nonnegative().optional(),
  /** Sums of the figures since the last line of metrics.jsonl, over so many steps: a resumed run writes the same means. */
  log_window: z.object({ steps: z.number().int().nonnegative(), sums: z.record(z.string(), z.number()) }).optional(),
  /** SHA-256 of the file that lists the training data. */
  data: z.string().optional(),
  /** SHA-256 of the files that weights and the optimiser's state stand in; checkpoints of older versions lack it. */
  files: z.record(z.string(), z.string()).optional(),
  /** On what it was computed, where that was not the processor. */
  device: z.string().optional(),
  /** Whether the evaluation of this step was stopped on the way: a resumed run begins with it. */
  evaluation_pending: z.boolean().optional(),
  /** The best evaluation so far, and the evaluations in a row since that were no better (see best.ts). */
  best_global_step: z.number().int().nonnegative().optional(),
  best_metric: z.number().optional(),
  stale_evaluations: z.number().int().nonnegative().optional(),
});

/** What a checkpoint knows besides weights and the optimiser's state: the keys of trainer_state.json. */
export type TrainerState = z.infer<typeof stateSchema>;

/** Checkpoints below `outputDirectory`, oldest first. */
export async function listCheckpoints(outputDirectory: string): Promise<{ step: number; directory: string }[]> {
  const names = await readdir(outputDirectory).catch(() => [] as string[]);
  return names
    .flatMap(name => {
      const match = NAME.exec(name);
      return match ? [{ step: Number(match[1]), directory: join(outputDirectory, name) }] : [];
    })
    .sort((a, b) => a.step - b.step);
}

/** Text of a trainer_state.json. */
export const stateJson = (state: object): string => `${JSON.stringify({ schemaVersion: 1, ...state }, null, 2)}\n`;

/**
 * Writes `checkpoint-STEP`: what `saveModel` writes, the optimiser's state and `trainer_state.json`; then removes the oldest beyond `limit`.
 * A crash at any point leaves the earlier checkpoints whole. @throws NarrowsError when it cannot be written; what was begun is removed
 */
export async function writeCheckpoint(
  outputDirectory: string,
  state: TrainerState,
  optimizer: Pick<Optimizer, 'stepsTaken' | 'tensors'>,
  saveModel: (directory: string) => Promise<void>,
  limit: number,
): Promise<string> {
  const step = state.global_step;
  const target = join(outputDirectory, `checkpoint-${step}`);
  const temporary = join(outputDirectory, `.checkpoint-${step}.tmp`);
  try {
    await rm(temporary, { recursive: true, force: true });
    await makeDirectory(temporary);
    await saveModel(temporary);
    await writeSafetensors(
      join(temporary, 'optimizer.safetensors'),
      [...optimizer.tensors()].map(([name, data]) => [name, floats([data.length], data)] as const),
    );
    const files = await hashWeights(temporary);
    await writeFileAtomic(join(temporary, 'trainer_state.json'), stateJson({ ...state, optimizer_steps: optimizer.stepsTaken, files }));
    await discard(outputDirectory, step);
    await rename(temporary, target);
    await pruneCheckpoints(outputDirectory, limit, step, state.best_global_step);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    throw error instanceof NarrowsError ? error : writeError(temporary, error);
  }
  return target;
}

/** SHA-256 of the safetensors files of a directory, by name. */
async function hashWeights(directory: string): Promise<Record<string, string>> {
  const names = (await readdir(directory)).filter(name => name.endsWith('.safetensors')).sort();
  return Object.fromEntries(await Promise.all(names.map(async name => [name, await sha256File(join(directory, name))])));
}

/** @throws NarrowsError naming a file that is gone or is not what was saved */
async function checkWeights(directory: string, { files = {} }: TrainerState): Promise<void> {
  for (const [name, hash] of Object.entries(files))
    if ((await sha256File(join(directory, name))) !== hash)
      throw new NarrowsError(`${join(directory, name)} is not what was saved (its SHA-256 differs); delete the checkpoint.`);
}

/** Removes the oldest checkpoints beyond `limit`, never that of step `keep`, nor the best one, which does not count. */
export async function pruneCheckpoints(outputDirectory: string, limit: number, keep: number, best?: number): Promise<void> {
  const all = (await listCheckpoints(outputDirectory)).filter(c => c.step !== best || c.step === keep);
  for (const old of all.slice(0, Math.max(0, all.length - limit))) if (old.step !== keep) await discard(outputDirectory, old.step);
}

/** Removes a checkpoint so that no half of it is ever taken for one. */
async function discard(outputDirectory: string, step: number): Promise<void> {
  const away = join(outputDirectory, `.checkpoint-${step}.old`);
  await rm(away, { recursive: true, force: true });
  const gone = await rename(join(outputDirectory, `checkpoint-${step}`), away).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
  if (gone) await rm(away, { recursive: true, force: true });
}

/** Removes what an interrupted write left behind. */
export async function removeLeftovers(outputDirectory: string): Promise<void> {
  const names = await readdir(outputDirectory).catch(() => [] as string[]);
  for (const name of names) if (LEFTOVER.test(name)) await rm(join(outputDirectory, name), { recursive: true, force: true });
}

async function readState(directory: string): Promise<TrainerState> {
  const parsed = stateSchema.safeParse(await readJson(join(directory, 'trainer_state.json')));
  if (parsed.success) return parsed.data;
  throw new NarrowsError(`${directory}/trainer_state.json is no trainer's state (${parsed.error.issues[0].message}).`);
}

/** @throws NarrowsError (usage) where the newest checkpoint was trained on other data than that of this hash */
export async function checkSameData(outputDirectory: string, hash: string | undefined): Promise<void> {
  for (const { directory } of (await listCheckpoints(outputDirectory)).reverse()) {
    const state = await readState(directory).catch(() => undefined);
    if (!state) continue;
    if (state.data === hash) return;
    throw new NarrowsError(`The training data is not what ${directory} was trained on; choose another output_dir.`, { kind: 'usage' });
  }
}

type Live = readonly { name: string; data: Float32Array }[];

/** Where a checkpoint's tensors stand, by the names of the parameters. */
export type OpenWeights = (directory: string) => Promise<ReadonlyMap<string, TensorEntry>>;

const openModel: OpenWeights = async directory => (await openSafetensors(join(directory, 'model.safetensors'))).tensors;

/** Values of all parameters in a checkpoint. @throws NarrowsError for a file that is missing, broken, or of another model */
async function readValues(directory: string, parameters: Live, open: OpenWeights): Promise<Map<string, Float32Array>> {
  const tensors = await open(directory);
  const values = new Map<string, Float32Array>();
  for (const { name, data } of parameters) {
    const entry = tensors.get(name);
    const read = entry && (await readFloats(entry));
    if (read?.length !== data.length)
      throw new NarrowsError(`${directory} lacks the tensor "${name}" with ${data.length} values; it belongs to another model.`);
    values.set(name, read);
  }
  return values;
}

/** Loads parameters only (in place); nothing is changed unless all can be read. @throws NarrowsError as `readCheckpoint` does */
export async function readWeights(directory: string, parameters: Live, open: OpenWeights = openModel): Promise<void> {
  await checkWeights(directory, await readState(directory));
  const values = await readValues(directory, parameters, open);
  for (const { name, data } of parameters) data.set(values.get(name)!);
}

/**
 * Loads parameters (in place) and the optimiser from a checkpoint; nothing is changed unless all of it can be read.
 * @throws NarrowsError for a file that is missing, broken, or of another model
 */
export async function readCheckpoint(
  directory: string,
  parameters: Live,
  optimizer: Pick<Optimizer, 'load'>,
  open: OpenWeights = openModel,
): Promise<TrainerState> {
  const state = await readState(directory);
  await checkWeights(directory, state);
  const values = await readValues(directory, parameters, open);
  const saved = await openSafetensors(join(directory, 'optimizer.safetensors'));
  const tensors = new Map<string, Float32Array>();
  for (const [name, entry] of saved.tensors) tensors.set(name, await readFloats(entry));
  try {
    optimizer.load(state.optimizer_steps ?? state.global_step, tensors);
  } catch (error) {
    throw new NarrowsError(`${directory} cannot be resumed: ${messageOf(error)}`, { cause: error });
  }
  for (const { name, data } of parameters) data.set(values.get(name)!);
  return state;
}

/**
 * Takes up the newest checkpoint that can be read. @param warn called for each newer one that cannot
 * @returns its state, or undefined where there is no checkpoint
 * @throws NarrowsError when there are checkpoints, but none that can be read
 */
export async function resumeNewest(
  outputDirectory: string,
  parameters: Live,
  optimizer: Pick<Optimizer, 'load'>,
  warn: (message: string) => void,
  open: OpenWeights = openModel,
): Promise<{ state: TrainerState; directory: string } | undefined> {
  const failures: string[] = [];
  for (const { directory } of (await listCheckpoints(outputDirectory)).reverse()) {
    try {
      const state = await readCheckpoint(directory, parameters, optimizer, open);
      if (failures.length) warn(`${failures[0]} Resuming from ${directory} instead.`);
      return { state, directory };
    } catch (error) {
      if (!(error instanceof NarrowsError)) throw error;
      failures.push(error.message);
    }
  }
  if (failures.length)
    throw new NarrowsError(`No checkpoint in ${outputDirectory} can be taken up; delete them to start afresh. The newest: ${failures[0]}`);
  return undefined;
}

/** @file Training checkpoints: a directory `checkpoint-N` that appears whole (renamed into place) and holds all that an exact resume needs. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readJson } from '../checkpoints/config.ts';
import { openSafetensors, readFloats } from '../checkpoints/safetensors.ts';
import { writeSafetensors } from '../checkpoints/write.ts';
import type { Optimizer } from '../optim/adamw.ts';
import { NarrowsError } from '../system/errors.ts';
import { writeError, writeFileAtomic } from '../system/files.ts';
import { floats } from '../tensor/tensor.ts';

const NAME = /^checkpoint-(\d+)$/;

/** Complete checkpoints below `outputDirectory`, oldest first. */
export async function listCheckpoints(outputDirectory: string): Promise<{ step: number; directory: string }[]> {
  const names = await readdir(outputDirectory).catch(() => [] as string[]);
  return names
    .flatMap(name => {
      const match = NAME.exec(name);
      return match ? [{ step: Number(match[1]), directory: join(outputDirectory, name) }] : [];
    })
    .sort((a, b) => a.step - b.step);
}

/**
 * Writes `checkpoint-STEP`: what `saveModel` writes, the optimiser's state and `trainer_state.json`; then removes the oldest beyond `limit`.
 * A crash at any point leaves the earlier checkpoints whole.
 */
export async function writeCheckpoint(
  outputDirectory: string,
  step: number,
  optimizer: Optimizer,
  saveModel: (directory: string) => Promise<void>,
  limit: number,
): Promise<string> {
  const target = join(outputDirectory, `checkpoint-${step}`);
  const temporary = join(outputDirectory, `.checkpoint-${step}.tmp`);
  try {
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
  } catch (error) {
    throw writeError(temporary, error);
  }
  await saveModel(temporary);
  await writeSafetensors(
    join(temporary, 'optimizer.safetensors'),
    [...optimizer.tensors()].map(([name, data]) => [name, floats([data.length], data)] as const),
  );
  await writeFileAtomic(
    join(temporary, 'trainer_state.json'),
    `${JSON.stringify({ schemaVersion: 1, global_step: step, optimizer_steps: optimizer.stepsTaken }, null, 2)}\n`,
  );
  await rm(target, { recursive: true, force: true });
  await rename(temporary, target);
  const all = await listCheckpoints(outputDirectory);
  for (const old of all.slice(0, Math.max(0, all.length - limit))) await rm(old.directory, { recursive: true, force: true });
  return target;
}

/** Removes what an interrupted write left behind. */
export async function removeLeftovers(outputDirectory: string): Promise<void> {
  const names = await readdir(outputDirectory).catch(() => [] as string[]);
  for (const name of names)
    if (/^\.checkpoint-\d+\.tmp$/.test(name)) await rm(join(outputDirectory, name), { recursive: true, force: true });
}

/** Loads parameters (in place) and the optimiser from a checkpoint. @returns the step at which it was written */
export async function readCheckpoint(
  directory: string,
  parameters: readonly { name: string; data: Float32Array }[],
  optimizer: Optimizer,
): Promise<number> {
  const state = (await readJson(join(directory, 'trainer_state.json'))) as { global_step?: number; optimizer_steps?: number };
  if (!Number.isInteger(state.global_step))
    throw new NarrowsError(`${directory}/trainer_state.json has no global_step; remove this checkpoint and resume from an earlier one.`);
  const model = await openSafetensors(join(directory, 'model.safetensors'));
  for (const { name, data } of parameters) {
    const entry = model.tensors.get(name);
    const values = entry && (await readFloats(entry));
    if (values?.length !== data.length)
      throw new NarrowsError(`${directory} lacks the tensor "${name}" with ${data.length} values; it belongs to another model.`);
    data.set(values);
  }
  const saved = await openSafetensors(join(directory, 'optimizer.safetensors'));
  const tensors = new Map<string, Float32Array>();
  for (const [name, entry] of saved.tensors) tensors.set(name, await readFloats(entry));
  optimizer.load(state.optimizer_steps ?? state.global_step!, tensors);
  return state.global_step!;
}

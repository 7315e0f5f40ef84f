/** @file Whether a checkpoint fits into memory, checked before anything is loaded. */

import type { TensorEntry } from '../../checkpoints/safetensors.ts';
import { NarrowsError } from '../../system/errors.ts';
import { formatBytes } from '../../system/format.ts';
import { sizeOf } from '../../tensor/tensor.ts';

/** Room for a run's own values besides the weights, bytes. */
const WORKING = 300e6;

/**
 * Bytes that the weights of a model take when it runs: float32 is mapped from the file as it is, 16-bit floats are widened to float32.
 * @param wanted names of the tensors that the model reads
 */
export function weightMemory(entries: ReadonlyMap<string, TensorEntry>, wanted: Iterable<string>): number {
  let bytes = 0;
  for (const name of wanted) bytes += 4 * sizeOf(entries.get(name)?.shape ?? [0]);
  return bytes;
}

/** Weights up to this size are worth a second, repacked copy (a token takes a fifth less time), where there is room. */
const REPACKED = 1e9;

/** Whether a model's weights should be repacked for speed (see `CompileOptions.prepack`). @param weights bytes; @param available bytes */
export const worthRepacking = (weights: number, available: number): boolean => weights <= REPACKED && 2 * weights + WORKING <= available;

/** @param available bytes; @throws NarrowsError in one sentence with how much is missing, for a checkpoint that cannot fit */
export function requireMemory(source: string, weights: number, available: number): void {
  const missing = weights + WORKING - available;
  if (missing <= 0) return;
  throw new NarrowsError(
    `${source} needs ${formatBytes(weights + WORKING)} of memory (its weights as float32 take ${formatBytes(weights)}), but ${formatBytes(available)} are free: ${formatBytes(missing)} are missing; close other programs or take a smaller model.`,
  );
}

/** @file CLUB estimators as safetensors files, with the tensor names of the published checkpoints. */
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readTensor, toFloats } from '../../checkpoints/safetensors.ts';
import { writeSafetensors } from '../../checkpoints/write.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { floats } from '../../tensor/tensor.ts';
import { type ClubEstimator, clubFromTensors } from './club-estimator.ts';

/** Writes an estimator. @param about texts for the file's metadata: encoder, data, steps, seed. @throws NarrowsError when it cannot be written */
export const saveClub = (path: string, { parameters }: ClubEstimator, about: Readonly<Record<string, string>> = {}): Promise<void> =>
  writeSafetensors(
    path,
    parameters.map(({ name, shape, data }) => [name, floats(shape, data)] as const),
    { format: 'pt', ...about },
  );

/**
 * Reads an estimator, ours or a converted published one, with the texts of its metadata.
 * @throws NarrowsError for a file that is missing, no safetensors file, or no CLUB estimator
 */
export async function loadClub(path: string): Promise<{ estimator: ClubEstimator; about: Readonly<Record<string, string>> }> {
  const { tensors, metadata } = await openSafetensors(path);
  const values = new Map<string, Tensor>();
  for (const [name, entry] of tensors)
    if (/^p_(mu|logvar)\./.test(name)) values.set(name, floats(entry.shape, toFloats(await readTensor(entry))));
  return { estimator: clubFromTensors(values, path), about: metadata };
}

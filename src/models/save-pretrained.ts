/** @file Saves a loaded model as a directory. */
import { readTensor } from '../checkpoints/safetensors.ts';
import { saveCheckpoint } from '../checkpoints/save.ts';
import { makeDirectory } from '../node/files.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { DualEncoderModel } from './dual-encoder-model.ts';
import { copySideFiles } from './side-files.ts';

/**
 * Writes a model as Python's `from_pretrained` opens it (weights in their stored type; the tokenizer's and preprocessor's files are copied).
 * @throws NarrowsError when a file cannot be read or written
 */
export async function savePretrained(
  model: Pick<DualEncoderModel, 'files' | 'checkpoint' | 'config'>,
  directory: string,
  options: { readonly maxShardBytes?: number } = {},
): Promise<void> {
  await makeDirectory(directory);
  await copySideFiles(model.files, directory);
  const tensors: [string, Tensor][] = [];
  for (const [name, entry] of model.checkpoint.entries) tensors.push([name, await readTensor(entry)]);
  await saveCheckpoint(directory, tensors, { config: { ...model.config }, ...options });
}

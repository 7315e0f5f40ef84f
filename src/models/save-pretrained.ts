/** @file Saves a loaded model as a directory. */
import { readConfigFrom } from '../checkpoints/config.ts';
import { readTensor } from '../checkpoints/safetensors.ts';
import { saveCheckpoint } from '../checkpoints/save.ts';
import { makeDirectory } from '../node/files.ts';
import { NarrowsError } from '../system/errors.ts';
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
  const { stored, entries } = model.checkpoint;
  if (model.config.model_type === 'open_clip')
    throw new NarrowsError(
      `${model.files.name} is in OpenCLIP's layout, which from_pretrained of transformers does not open; copy its files as they are.`,
    );
  // Where tensors are taken otherwise than they are stored, the file's own config belongs to them.
  const config = stored ? await readConfigFrom(model.files) : { ...model.config };
  await makeDirectory(directory);
  await copySideFiles(model.files, directory);
  const tensors: [string, Tensor][] = [];
  for (const [name, entry] of stored ?? entries) tensors.push([name, await readTensor(entry)]);
  await saveCheckpoint(directory, tensors, { config, ...options });
}

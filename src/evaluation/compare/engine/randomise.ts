/**
 * @file Models of which the top blocks of one tower are drawn again, for cascading parameter randomisation (Adebayo et al., "Sanity checks for
 * saliency maps", NeurIPS 2018): written as checkpoints of their own, so that every architecture loads them as it loads the original.
 */

import type { Checkpoint } from '../../../checkpoints/checkpoint.ts';
import { readConfig } from '../../../checkpoints/disk.ts';
import { readTensor, type TensorEntry, toFloats } from '../../../checkpoints/safetensors.ts';
import { saveCheckpoint } from '../../../checkpoints/save.ts';
import type { DualEncoder, Modality } from '../../../models/dual-encoder.ts';
import { copySideFiles } from '../../../models/side-files.ts';
import { access, copyFile, rename, rm } from '../../../node/disk.ts';
import { makeDirectory } from '../../../node/files.ts';
import { randomBytes } from '../../../node/hash.ts';
import { join } from '../../../node/paths.ts';
import type { ModelFiles } from '../../../system/model-files.ts';
import { RandomStream } from '../../../tensor/random.ts';
import { mean, standardDeviation } from '../../../tensor/statistics/descriptive.ts';
import { floats, type Tensor } from '../../../tensor/tensor.ts';

/** Whether a tensor belongs to one of the `blocks` top blocks of a tower, by Hugging Face's names. */
export function inTopBlocks(name: string, modality: Modality, layers: number, blocks: number): boolean {
  const tower = modality === 'image' ? 'vision_model' : 'text_model';
  const found = /^(\w+)\.encoder\.layers\.(\d+)\./.exec(name);
  return found !== null && found[1] === tower && Number(found[2]) >= layers - blocks;
}

/** A tensor with each value drawn from the normal distribution with the tensor's own mean and deviation; keyed by its name. */
async function drawAgain(entry: TensorEntry, seed: number): Promise<Tensor> {
  const values = toFloats(await readTensor(entry));
  const [centre, spread] = [mean(values), values.length > 1 ? standardDeviation(values) : 0];
  const drawn = new RandomStream(seed, `randomise.${entry.name}`).normals(0, 0, new Float32Array(values.length));
  for (let i = 0; i < drawn.length; i++) drawn[i] = centre + spread * drawn[i];
  return floats(entry.shape, drawn);
}

/** A stored tensor; where a model's own tensors are parts of it, those that are drawn again stand in their places. */
async function storedTensor(
  stored: TensorEntry,
  entries: Checkpoint['entries'],
  drawn: (name: string) => boolean,
  seed: number,
): Promise<Tensor> {
  const inside = (entry: TensorEntry): boolean =>
    entry.file === stored.file && entry.offset >= stored.offset && entry.offset + entry.length <= stored.offset + stored.length;
  const parts = [...entries].filter(([name, entry]) => inside(entry) && drawn(name)).map(([, entry]) => entry);
  const tensor = await readTensor(stored);
  if (parts.length === 0) return tensor;
  const data = Float32Array.from(toFloats(tensor));
  const bytes = stored.length / data.length;
  for (const entry of parts) data.set((await drawAgain(entry, seed)).data as Float32Array, (entry.offset - stored.offset) / bytes);
  return floats(stored.shape, data);
}

/** A model whose tensors are drawn again: what it reads, and its weights. */
export interface RandomisedSource {
  readonly files: ModelFiles;
  readonly checkpoint: Checkpoint;
}

/**
 * Writes a model with some of its tensors drawn again to a directory below `folder`, unless it is there. Safe while other threads do the same.
 * @param name of the directory: of model, tensors and seed @param drawn whether a tensor is drawn again, by its name in memory
 * @returns the directory
 */
export async function drawnCheckpoint(
  { files, checkpoint }: RandomisedSource,
  name: string,
  drawn: (name: string) => boolean,
  seed: number,
  folder: string,
): Promise<string> {
  const directory = join(folder, name);
  const there = await access(join(directory, 'config.json')).then(
    () => true,
    () => false,
  );
  if (there) return directory;
  const temporary = `${directory}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await makeDirectory(temporary);
    await copySideFiles(files, temporary);
    // Methods that need a data set's statistics keep those of the real model: they are the method's, not the model's. So is a bottleneck of its own.
    const beside = (await files.list()).filter(file => file.endsWith('.safetensors') && !checkpoint.names.includes(file));
    for (const file of beside) await copyFile(join(checkpoint.directory, file), join(temporary, file));
    const tensors: [string, Tensor][] = [];
    for (const [stored, entry] of checkpoint.stored ?? checkpoint.entries)
      tensors.push([stored, await storedTensor(entry, checkpoint.entries, drawn, seed)]);
    await saveCheckpoint(temporary, tensors, { config: await readConfig(checkpoint.directory) });
    await rename(temporary, directory);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    // Another thread was faster.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  return directory;
}

/** `drawnCheckpoint` of the `blocks` top blocks of one tower. */
export async function randomisedCheckpoint(
  model: DualEncoder,
  modality: Modality,
  blocks: number,
  seed: number,
  folder: string,
): Promise<string> {
  const name = `${(await model.sha256()).slice(0, 16)}-${modality}-${blocks}-${seed}`;
  const drawn = (tensor: string): boolean => inTopBlocks(tensor, modality, model[modality].layers, blocks);
  return drawnCheckpoint(model, name, drawn, seed, folder);
}

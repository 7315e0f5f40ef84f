/** @file Writes a model directory that Python's `from_pretrained` opens: weights in one file or in shards, then `config.json`. */
import { readdir, rm } from '../node/disk.ts';
import { writeError, writeFileAtomic } from '../node/files.ts';
import { join } from '../node/paths.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { WEIGHTS, WEIGHTS_INDEX } from './checkpoint.ts';
import { listTensors, type NamedTensors, writeSafetensors } from './write.ts';

/** What `saveCheckpoint` needs besides the tensors. */
export interface SaveOptions {
  /** Written as `config.json`, keys verbatim, last of all: a directory with it is complete. */
  readonly config: object;
  /** Largest size of a file's data, bytes; a single larger tensor gets a file of its own. Default 5e9, as in transformers. */
  readonly maxShardBytes?: number;
}

const METADATA = { format: 'pt' };

/** Greedy split in the given order, as huggingface_hub splits. */
function split(pairs: readonly [string, Tensor][], maxBytes: number): [string, Tensor][][] {
  const shards: [string, Tensor][][] = [];
  let room = -1;
  for (const pair of pairs) {
    const bytes = pair[1].data.byteLength;
    if (bytes > room || shards.length === 0) {
      shards.push([]);
      room = maxBytes;
    }
    shards.at(-1)!.push(pair);
    room -= bytes;
  }
  return shards.length > 0 ? shards : [[]];
}

const toJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/**
 * Saves tensors and configuration to `directory` (made where needed). Each file is written whole or not at all; weights of an earlier save
 * that would shadow the new ones are removed. To replace a live directory in one step, save next to it and rename.
 * @returns the names of the weight files.
 * @throws NarrowsError when a tensor is malformed or a file cannot be written.
 */
export async function saveCheckpoint(directory: string, tensors: NamedTensors, options: SaveOptions): Promise<string[]> {
  const shards = split(listTensors(directory, tensors), options.maxShardBytes ?? 5e9);
  const single = shards.length === 1;
  const number = (n: number) => String(n).padStart(5, '0');
  const names = shards.map((_, i) => (single ? WEIGHTS : `model-${number(i + 1)}-of-${number(shards.length)}.safetensors`));
  for (const [i, shard] of shards.entries()) await writeSafetensors(join(directory, names[i]), shard, METADATA);
  if (!single) {
    const total = shards.flat().reduce((sum, [, t]) => sum + t.data.byteLength, 0);
    const map = Object.fromEntries(
      shards.flatMap((shard, i) => shard.map(([name]) => [name, names[i]])).sort(([a], [b]) => (a < b ? -1 : 1)),
    );
    await writeFileAtomic(join(directory, WEIGHTS_INDEX), toJson({ metadata: { total_size: total }, weight_map: map }));
  }
  await removeStale(directory, new Set(single ? names : [...names, WEIGHTS_INDEX]));
  await writeFileAtomic(join(directory, 'config.json'), toJson(options.config));
  return names;
}

async function removeStale(directory: string, keep: ReadonlySet<string>): Promise<void> {
  try {
    for (const name of await readdir(directory)) {
      const ours = name === WEIGHTS || name === WEIGHTS_INDEX || /^model-\d{5}-of-\d{5}\.safetensors$/.test(name);
      if (ours && !keep.has(name)) await rm(join(directory, name));
    }
  } catch (error) {
    throw writeError(directory, error);
  }
}

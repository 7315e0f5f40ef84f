/** @file The weights of a model directory as one table of tensors, whether they stand in one safetensors file or in shards. */
import { NarrowsError } from '../system/errors.ts';
import { fileIn, isMissing, locate, type ModelFiles } from '../system/model-files.ts';
import { readJsonFrom } from './config.ts';
import { isOpenClip, OPEN_CLIP_WEIGHTS } from './open-clip.ts';
import { openSafetensorsFrom, type SafetensorsFile, type TensorEntry } from './safetensors.ts';

/** The names that transformers gives to weights. */
export const WEIGHTS = 'model.safetensors';
/** Table of shards: `weight_map` gives the file of each tensor. */
export const WEIGHTS_INDEX = 'model.safetensors.index.json';

/** All weights of a checkpoint. Nothing but headers has been read. */
export interface Checkpoint {
  /** Where it stands: on disk its real path. */
  readonly directory: string;
  readonly entries: Map<string, TensorEntry>;
  /** The tensors as the file names and shapes them, where a model takes them otherwise (`entries` are then parts of these, by the model's names). */
  readonly stored?: ReadonlyMap<string, TensorEntry>;
  /** Metadata of all files together (a later shard's value wins). */
  readonly metadata: Record<string, string>;
  /** Where the safetensors files stand: on disk their real paths. */
  readonly files: readonly string[];
  /** Their names in `source`, in the same order. */
  readonly names: readonly string[];
  readonly source: ModelFiles;
}

/**
 * Opens the weights of a checkpoint: `model.safetensors` (`open_clip_model.safetensors` where OpenCLIP's files hold the model), else the shards of `model.safetensors.index.json`. Pickled weights are never opened.
 * @throws NarrowsError when there are no such weights, a shard or a tensor is missing, or a header is damaged.
 */
export async function openCheckpointFrom(files: ModelFiles): Promise<Checkpoint> {
  const names = await files.list();
  const directory = await locate(files);
  const openClip = names.includes(OPEN_CLIP_WEIGHTS) && (await isOpenClip(files, names));
  const single = openClip ? OPEN_CLIP_WEIGHTS : WEIGHTS;
  if (names.includes(single)) {
    const { path, tensors, metadata } = await openSafetensorsFrom(files, single);
    return { directory, entries: tensors, metadata, files: [path], source: files, names: [single] };
  }
  if (names.includes(WEIGHTS_INDEX)) return { directory, source: files, ...(await openShards(files)) };
  throw noWeights(files.name, names);
}

async function openShards(files: ModelFiles): Promise<Omit<Checkpoint, 'directory' | 'source'>> {
  const indexPath = fileIn(files, WEIGHTS_INDEX);
  const map = await readWeightMap(files);
  const shards = new Map<string, SafetensorsFile>();
  for (const name of [...new Set(map.values())].sort()) {
    const shard = await openSafetensorsFrom(files, name).catch(error => {
      if (!isMissing(error)) throw error;
      const count = [...map.values()].filter(v => v === name).length;
      throw new NarrowsError(`${files.name} lacks the shard ${name} (${count} tensors), which ${WEIGHTS_INDEX} lists; download it too.`, {
        cause: error,
      });
    });
    shards.set(name, shard);
  }
  const entries = new Map<string, TensorEntry>();
  for (const [tensor, name] of map) {
    const entry = shards.get(name)!.tensors.get(tensor);
    if (!entry)
      throw new NarrowsError(`${fileIn(files, name)} lacks tensor "${tensor}", which ${WEIGHTS_INDEX} places there; download it again.`);
    entries.set(tensor, entry);
  }
  // Tensors that the index forgets are kept, so that a model's report can name them as unexpected.
  for (const { tensors, path } of shards.values()) {
    for (const [tensor, entry] of tensors) {
      const known = entries.get(tensor);
      if (!known) entries.set(tensor, entry);
      else if (!map.has(tensor)) {
        throw new NarrowsError(`Tensor "${tensor}" stands in both ${known.file} and ${path}, and ${indexPath} does not say which holds.`);
      }
    }
  }
  const opened = [...shards.values()];
  return {
    entries,
    metadata: Object.assign({}, ...opened.map(shard => shard.metadata)),
    files: opened.map(shard => shard.path),
    names: [...shards.keys()],
  };
}

/** Tensor name to shard file name. Shards must lie in the directory itself: an index is data, and must not reach outside. */
async function readWeightMap(files: ModelFiles): Promise<Map<string, string>> {
  const path = fileIn(files, WEIGHTS_INDEX);
  const index = await readJsonFrom(files, WEIGHTS_INDEX);
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map) || Object.keys(map).length === 0) {
    throw new NarrowsError(`${path} has no weight_map that gives each tensor's file; download it again.`);
  }
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== 'string' || /[/\\]/.test(file) || !file.endsWith('.safetensors')) {
      throw new NarrowsError(
        `${path} places tensor "${tensor}" in ${JSON.stringify(file)}, which is not a safetensors file of that directory.`,
      );
    }
  }
  return new Map(Object.entries(map));
}

function noWeights(directory: string, names: readonly string[]): NarrowsError {
  const pickled = names
    .filter(name => /\.(bin|pt|pth|ckpt)$/.test(name) && !/^(training_args|optimizer|scheduler|rng_state)/.test(name))
    .sort();
  const others = names.filter(name => name.endsWith('.safetensors')).sort();
  if (others.length > 0) {
    return new NarrowsError(
      `${directory} has no ${WEIGHTS}, only ${others.join(', ')}; rename the file that holds the model to ${WEIGHTS}.`,
    );
  }
  if (pickled.length === 0) {
    return new NarrowsError(
      `${directory} has no weights: neither ${WEIGHTS} nor ${WEIGHTS_INDEX} is there; check the path or download the model again.`,
    );
  }
  const list = pickled.map(name => JSON.stringify(name)).join(', ');
  return new NarrowsError(
    `${directory} has only pickled weights (${pickled.join(', ')}), which Narrows never opens because unpickling can run any code; ` +
      'convert them once, in that directory, in Python:\n' +
      '  import torch; from safetensors.torch import save_file\n' +
      `  save_file({k: v.clone().contiguous() for f in [${list}] for k, v in torch.load(f, weights_only=True).items()}, "${WEIGHTS}", {"format": "pt"})`,
  );
}

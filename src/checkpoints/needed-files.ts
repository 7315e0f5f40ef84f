/** @file Which files of a repository a checkpoint needs; weights only ever as safetensors, nothing is ever unpickled. */

import { NarrowsError } from '../system/errors.ts';
import { parsePlain } from '../system/json-depth.ts';

/** Wanted where they exist; a repository need not have them. */
export const OPTIONAL_FILES = [
  'preprocessor_config.json',
  'processor_config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'chat_template.json',
  'open_clip_config.json',
] as const;

/** Read in the place of tokenizer.json. */
export const TOKENIZER_PARTS = ['vocab.json', 'merges.txt', 'vocab.txt', 'spiece.model', 'tokenizer.model'] as const;

/** A safetensors file next to config.json (not in a folder), with a harmless name. */
export const isWeights = (path: string): boolean => /^[\w][\w.-]*\.safetensors$/.test(path);

const isPickled = (path: string): boolean =>
  /\.(bin|pt|pth|ckpt|pkl|h5|msgpack)$/.test(path) && !/^(training_args|optimizer|scheduler)/.test(path);

/**
 * The sentence for a checkpoint whose weights exist only in formats that run code or are not PyTorch's, with the Python that converts it: the
 * class that config.json names, since AutoModel drops the head of a model that answers.
 */
export function pickledWeightsError(name: string, file: string): NarrowsError {
  if (file.startsWith('open_clip_'))
    return new NarrowsError(
      `${name} has its weights only as ${file}, which is never opened here because unpickling can run code; convert it in Python, where you trust it, and name the directory: ` +
        `from huggingface_hub import snapshot_download; import torch; from safetensors.torch import save_file; d = snapshot_download("${name}", local_dir="converted"); ` +
        `save_file({k: v.clone().contiguous() for k, v in torch.load(d + "/${file}", map_location="cpu", weights_only=True).items()}, d + "/open_clip_model.safetensors", {"format": "pt"})`,
    );
  return new NarrowsError(
    `${name} has its weights only as ${file}, which is never opened here because unpickling can run code; convert it in Python, where you trust it: ` +
      `import transformers as t; c = t.AutoConfig.from_pretrained("${name}"); ` +
      `getattr(t, c.architectures[0]).from_pretrained("${name}").save_pretrained("converted", safe_serialization=True); ` +
      `t.AutoProcessor.from_pretrained("${name}").save_pretrained("converted")`,
  );
}

/** @throws NarrowsError when there are weights, but none as safetensors. */
export function refusePickled(name: string, paths: readonly string[]): void {
  if (paths.some(isWeights)) return;
  const pickled = paths.filter(path => !path.includes('/')).find(isPickled);
  if (pickled) throw pickledWeightsError(name, pickled);
}

/** File names in a shard index, each checked to be a plain safetensors name. @throws NarrowsError for anything else. */
export function shardNames(index: string, source: string): string[] {
  try {
    const { weight_map } = parsePlain(index) as { weight_map: Record<string, string> };
    const names = [...new Set(Object.values(weight_map))];
    if (names.length > 0 && names.every(isWeights)) return names.sort();
  } catch {
    // One sentence for all that can be wrong with it.
  }
  throw new NarrowsError(`${source} is not a shard index with a "weight_map" of safetensors files; get it again.`);
}

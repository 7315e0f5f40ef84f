/** @file Directories that hold something else than a model in transformers' format, each recognised by its files, with what can be done. */

import { NarrowsError } from '../system/errors.ts';
import { parsePlain } from '../system/json-depth.ts';

/** An adapter's base model, where its text names one. */
function baseOf(text: string | undefined): string | undefined {
  try {
    const base = (parsePlain(text ?? '') as { base_model_name_or_path?: unknown }).base_model_name_or_path;
    return typeof base === 'string' && base !== '' ? base : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The sentence for a directory without config.json that is a LoRA adapter or OpenCLIP weights by themselves; undefined for any other.
 * @param names of its files @param read gives a file's text, where it can be read
 */
export function foreignLayout(
  source: string,
  names: readonly string[],
  read: (name: string) => string | undefined = () => undefined,
): NarrowsError | undefined {
  if (names.includes('config.json') || names.includes('open_clip_config.json')) return undefined;
  if (names.includes('adapter_config.json')) {
    const base = baseOf(read('adapter_config.json'));
    return new NarrowsError(
      `${source} is a LoRA adapter${base ? ` of ${base}` : ''} and no model; merge it into ${base ? 'that model' : 'its base model'} with: narrows models convert ${source} --output MERGED (a LLaVA's; train tune --merge-lora writes the merged model at once).`,
    );
  }
  if (names.some(name => /^open_clip_/.test(name)))
    return new NarrowsError(
      `${source} holds OpenCLIP weights (${names.find(name => /^open_clip_/.test(name))}) without the open_clip_config.json that says what they are; copy it from the checkpoint's origin.`,
    );
  return undefined;
}

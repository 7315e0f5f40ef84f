/** @file OpenCLIP's files among those of a checkpoint: repositories often hold a model in two layouts, and one of them counts. */

import { NarrowsError } from '../system/errors.ts';
import { parsePlain } from '../system/json-depth.ts';
import { fileIn, type ModelFiles, readText } from '../system/model-files.ts';

/** The config of OpenCLIP's layout. */
export const OPEN_CLIP_CONFIG = 'open_clip_config.json';
/** Its weights. */
export const OPEN_CLIP_WEIGHTS = 'open_clip_model.safetensors';

/** The config.json of an image–text model in transformers' layout has sections for both towers, or says its kind and no more. */
const isTransformers = (json: unknown): boolean => {
  if (typeof json !== 'object' || json === null) return true;
  return (
    Object.keys(json).some(key => /^(vision|text)_config(_dict)?$/.test(key)) ||
    (json as { model_type?: unknown }).model_type === 'open_clip'
  );
};

/**
 * Whether OpenCLIP's files hold the model: open_clip_config.json is there, and either config.json is not (or is a single tower's, timm's or a
 * BERT's), or the weights are there in OpenCLIP's layout only.
 */
export async function isOpenClip(files: ModelFiles, names?: readonly string[]): Promise<boolean> {
  const has = new Set(names ?? (await files.list()));
  if (!has.has(OPEN_CLIP_CONFIG)) return false;
  if (!has.has('config.json')) return true;
  const weights = has.has('model.safetensors') || has.has('model.safetensors.index.json');
  if (!weights && has.has(OPEN_CLIP_WEIGHTS)) return true;
  try {
    return !isTransformers(parsePlain(await readText(files, 'config.json')));
  } catch {
    // A config.json that cannot be read is said where it is read.
    return false;
  }
}

/** @param config parsed @throws NarrowsError where it is no JSON object */
export function markOpenClip(config: unknown, files: ModelFiles): Record<string, unknown> {
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw new NarrowsError(`${fileIn(files, OPEN_CLIP_CONFIG)} must hold a JSON object.`);
  return { ...config, model_type: 'open_clip' };
}

/** @file Reads JSON files of a checkpoint with errors a person can act on. (From paths: checkpoints/disk.ts.) */

import { NarrowsError } from '../system/errors.ts';
import { isTooDeep, tooDeep } from '../system/json-depth.ts';
import { fileIn, type ModelFiles, readText } from '../system/model-files.ts';
import { foreignLayout } from './foreign.ts';
import { jsonErrorIndex } from './json-position.ts';
import { isOpenClip, markOpenClip, OPEN_CLIP_CONFIG } from './open-clip.ts';

/** Parses JSON text. @param path named in the error. @param parse `parseExact` where ids may be longer than a number. @throws NarrowsError with the line and column at which it stops being JSON. */
export function parseJson(text: string, path: string, parse: (text: string) => unknown = JSON.parse): unknown {
  const plain = text.startsWith('\uFEFF') ? text.slice(1) : text;
  if (isTooDeep(plain)) throw new NarrowsError(tooDeep(path));
  try {
    return parse(plain);
  } catch {
    // The engine's words are no cause: they quote the file, which may hold reports on patients.
    const index = jsonErrorIndex(plain) ?? plain.length;
    if (plain.trim() === '') throw new NarrowsError(`${path} is empty; it should hold JSON.`);
    const lines = plain.slice(0, index).split('\n');
    const found = index < plain.trimEnd().length ? `unexpected ${JSON.stringify(plain[index])}` : 'the text ends too early';
    throw new NarrowsError(`${path} is not valid JSON: ${found} at line ${lines.length}, column ${lines.at(-1)!.length + 1}.`);
  }
}

/** Reads and parses a JSON file (UTF-8). @throws NarrowsError when it is missing, unreadable or not JSON. */
export async function readJsonFrom(files: ModelFiles, file: string): Promise<unknown> {
  return parseJson(await readText(files, file), fileIn(files, file));
}

/**
 * Reads `config.json` of a checkpoint, keys verbatim as Hugging Face writes them; where OpenCLIP's files hold the model (`isOpenClip`),
 * open_clip_config.json with the `model_type` "open_clip".
 * @throws NarrowsError when the place or the file is missing, or the file is not a JSON object.
 */
export async function readConfigFrom(files: ModelFiles): Promise<Record<string, unknown>> {
  const names = await files.list();
  if (await isOpenClip(files, names)) return markOpenClip(await readJsonFrom(files, OPEN_CLIP_CONFIG), files);
  if (!names.includes('config.json')) {
    const adapter = names.includes('adapter_config.json') ? await readText(files, 'adapter_config.json') : undefined;
    const foreign = foreignLayout(files.name, names, () => adapter);
    if (foreign) throw foreign;
    throw new NarrowsError(`${files.name} has no config.json, so it is not a model in Hugging Face format; check the path.`);
  }
  const config = await readJsonFrom(files, 'config.json');
  if (typeof config !== 'object' || config === null || Array.isArray(config))
    throw new NarrowsError(`${fileIn(files, 'config.json')} must hold a JSON object.`);
  return config as Record<string, unknown>;
}

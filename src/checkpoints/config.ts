/** @file Reads JSON files of a checkpoint directory with errors a person can act on. */
import { readFile, stat } from '../node/disk.ts';
import { join } from '../node/paths.ts';
import { NarrowsError } from '../system/errors.ts';
import { readError } from '../system/read-error.ts';
import { jsonErrorIndex } from './json-position.ts';

/** Parses JSON text. @param path named in the error. @throws NarrowsError with the line and column at which it stops being JSON. */
export function parseJson(text: string, path: string): unknown {
  const plain = text.startsWith('\uFEFF') ? text.slice(1) : text;
  try {
    return JSON.parse(plain);
  } catch (cause) {
    const index = jsonErrorIndex(plain) ?? plain.length;
    if (plain.trim() === '') throw new NarrowsError(`${path} is empty; it should hold JSON.`, { cause });
    const lines = plain.slice(0, index).split('\n');
    const found = index < plain.trimEnd().length ? `unexpected ${JSON.stringify(plain[index])}` : 'the text ends too early';
    throw new NarrowsError(`${path} is not valid JSON: ${found} at line ${lines.length}, column ${lines.at(-1)!.length + 1}.`, { cause });
  }
}

/** Reads and parses a JSON file (UTF-8). @throws NarrowsError when it is missing, unreadable or not JSON. */
export async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw readError(path, error);
  }
  return parseJson(text, path);
}

/** Checks that `directory` is a directory. @throws NarrowsError that says what it is instead. */
export async function checkDirectory(directory: string): Promise<void> {
  const found = await stat(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw readError(directory, error);
    return undefined;
  });
  if (!found) throw new NarrowsError(`There is no directory ${directory}; check the path of the model.`);
  if (!found.isDirectory()) throw new NarrowsError(`${directory} is a file; give the directory of a model (with config.json and weights).`);
}

/**
 * Reads `config.json` of a checkpoint directory, keys verbatim as Hugging Face writes them.
 * @throws NarrowsError when the directory or the file is missing, or the file is not a JSON object.
 */
export async function readConfig(directory: string): Promise<Record<string, unknown>> {
  await checkDirectory(directory);
  const path = join(directory, 'config.json');
  if (!(await stat(path).catch(() => undefined))) {
    throw new NarrowsError(`${directory} has no config.json, so it is not a model in Hugging Face format; check the path.`);
  }
  const config = await readJson(path);
  if (typeof config !== 'object' || config === null || Array.isArray(config)) throw new NarrowsError(`${path} must hold a JSON object.`);
  return config as Record<string, unknown>;
}

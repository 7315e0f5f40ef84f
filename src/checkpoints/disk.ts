/** @file Checkpoints, safetensors and JSON files by their paths on disk: Node's way into what the core reads from `ModelFiles`. */
import { readFile, readPieces } from '../node/disk.ts';
import { checkDirectory, diskFiles } from '../node/disk-files.ts';
import { createHash } from '../node/hash.ts';
import { basename, dirname } from '../node/paths.ts';
import { readError } from '../system/read-error.ts';
import { type Checkpoint, openCheckpointFrom } from './checkpoint.ts';
import { parseJson, readConfigFrom } from './config.ts';
import { openSafetensorsFrom, type SafetensorsFile } from './safetensors.ts';

export { checkDirectory };

/** `openCheckpointFrom` of a directory; throws as it does. */
export const openCheckpoint = (directory: string): Promise<Checkpoint> => openCheckpointFrom(diskFiles(directory));

/**
 * `openSafetensorsFrom` of a path; throws as it does.
 * @example
 * await writeSafetensors('values.safetensors', { a: floats([2], [1, 2]) });
 * const { tensors } = await openSafetensors('values.safetensors');
 * console.log(await readFloats(tensors.get('a')!));
 */
export const openSafetensors = (path: string): Promise<SafetensorsFile> => openSafetensorsFrom(diskFiles(dirname(path)), basename(path));

/** `readConfigFrom` of a directory; throws as it does. */
export const readConfig = (directory: string): Promise<Record<string, unknown>> => readConfigFrom(diskFiles(directory));

/** Reads and parses a JSON file (UTF-8), be it a file or a pipe. @throws NarrowsError when it is missing, unreadable or not JSON. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(error => {
    throw readError(path, error);
  });
  return parseJson(text, path);
}

/** SHA-256 of a file's bytes, hexadecimal, read in pieces. @throws NarrowsError when it cannot be read. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const piece of readPieces(path)) hash.update(piece);
  } catch (error) {
    throw readError(path, error);
  }
  return hash.digest('hex');
}

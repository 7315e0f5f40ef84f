/** @file Reads a JSONL file of image–caption pairs. */

import { readFile, stat } from '../../node/disk.ts';
import { createHash } from '../../node/hash.ts';
import { dirname, resolve } from '../../node/paths.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { readError } from '../../system/read-error.ts';

/** One pair. */
export interface Pair {
  /** Absolute path. */
  readonly image: string;
  readonly text: string;
  /** Where it stands, e.g. `pairs.jsonl, line 3`. */
  readonly place: string;
}

/** A file's pairs. */
export interface PairFile {
  readonly pairs: readonly Pair[];
  /** SHA-256 of the file. */
  readonly hash: string;
}

const IMAGE_KEYS = ['image', 'file_name', 'image_path'] as const;
const TEXT_KEYS = ['caption', 'text'] as const;

function parseLine(line: string, place: string, directory: string): Pair {
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(line);
  } catch (error) {
    throw new NarrowsError(`${place} is not JSON (${messageOf(error)}); write one object a line.`);
  }
  const find = (keys: readonly string[], what: string): string => {
    const key = keys.find(k => json?.[k] !== undefined);
    const value = key && json[key];
    if (typeof value === 'string' && value.trim() !== '') return value;
    throw new NarrowsError(`${place} has no ${what}: ${key ? `"${key}" must be a text that is not empty` : `give it as "${keys[0]}"`}.`);
  };
  return { image: resolve(directory, find(IMAGE_KEYS, 'image')), text: find(TEXT_KEYS, 'caption'), place };
}

async function checkImage({ image, place }: Pair): Promise<void> {
  const found = await stat(image).catch(() => undefined);
  if (!found?.isFile()) throw new NarrowsError(`${place}: the image ${image} does not exist; paths are relative to the JSONL file.`);
}

/**
 * Reads pairs: a line is `{"image" | "file_name" | "image_path": path, "caption" | "text": text}`, paths relative to the file; other keys
 * are ignored. All images must exist; they are not opened.
 * @param ignore told of each bad line, which is left out; without it the first one is an error
 * @throws NarrowsError naming file and line
 */
export async function readPairs(path: string, ignore?: (message: string) => void): Promise<PairFile> {
  const bytes = await readFile(path).catch(error => {
    throw readError(path, error);
  });
  const pairs: Pair[] = [];
  const attempt = async (work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!ignore || !(error instanceof NarrowsError)) throw error;
      ignore(error.message);
    }
  };
  const lines = bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .split('\n');
  const read: Pair[] = [];
  for (const [i, line] of lines.entries())
    if (line.trim()) await attempt(() => read.push(parseLine(line, `${path}, line ${i + 1}`, dirname(resolve(path)))));
  const CHUNK = 64;
  for (let from = 0; from < read.length; from += CHUNK) {
    const chunk = read.slice(from, from + CHUNK);
    const checks = await Promise.allSettled(chunk.map(checkImage));
    for (const [i, check] of checks.entries())
      await attempt(() => {
        if (check.status === 'rejected') throw check.reason;
        pairs.push(chunk[i]);
      });
  }
  if (pairs.length === 0) throw new NarrowsError(`${path} holds no pairs; each line is {"image": path, "caption": text}.`);
  return { pairs, hash: createHash('sha256').update(bytes).digest('hex') };
}

/** @file A directory on disk as the files of a checkpoint. */
import './time-limit.ts';
import { createHash } from 'node:crypto';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { NarrowsError } from '../system/errors.ts';
import type { ModelFiles } from '../system/model-files.ts';
import { readError } from '../system/read-error.ts';
import type { Hasher } from '../system/sha256.ts';
import { readRange } from './files.ts';

/** Checks that `directory` is a directory. @throws NarrowsError that says what it is instead. */
export async function checkDirectory(directory: string): Promise<void> {
  const found = await stat(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw readError(directory, error);
    return undefined;
  });
  if (!found) throw new NarrowsError(`There is no directory ${directory}; check the path of the model.`);
  if (!found.isDirectory()) throw new NarrowsError(`${directory} is a file; give the directory of a model (with config.json and weights).`);
}

/** Node's SHA-256 behind the interface of the one that runs anywhere. */
function nativeSha256(): Hasher {
  const hash = createHash('sha256');
  const hasher: Hasher = {
    update(bytes) {
      hash.update(bytes);
      return hasher;
    },
    digest: () => new Uint8Array(hash.digest()),
  };
  return hasher;
}

/** The files of a directory. Nothing is read yet; no handle stays open between calls. */
export function diskFiles(directory: string): ModelFiles {
  const path = (file: string): string => join(directory, file);
  const guarded = async <T>(file: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw readError(file === '' ? directory : path(file), error);
    }
  };
  const size = (file: string): Promise<number> =>
    guarded(file, async () => {
      const found = await stat(path(file));
      if (!found.isFile()) throw new NarrowsError(`Cannot read ${path(file)}: it is not a file; give a file.`);
      return found.size;
    });
  return {
    name: directory,
    async list() {
      await checkDirectory(directory);
      return guarded('', () => readdir(directory));
    },
    size,
    read: async (file, offset = 0, length) => readRange(path(file), offset, length ?? (await size(file)) - offset),
    locate: (file = '') => guarded(file, () => realpath(path(file))),
    fingerprint: file =>
      guarded(file, async () => {
        const real = await realpath(path(file));
        const { mtimeNs, size, ino } = await stat(real, { bigint: true });
        return `${real}\0${mtimeNs}\0${size}\0${ino}`;
      }),
    createHash: nativeSha256,
  };
}

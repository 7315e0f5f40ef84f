/** @file Files written whole or not at all: a temporary name beside the target, flushed, then renamed. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, NarrowsError } from './errors.ts';

const REASONS: Record<string, string> = {
  ENOSPC: 'the disk is full; free some space or choose another directory',
  EROFS: 'the file system is read-only; choose another directory',
  EACCES: 'permission is denied; choose a directory you may write to',
  EPERM: 'permission is denied; choose a directory you may write to',
  ENOENT: 'the directory does not exist and cannot be made there; choose another',
  EEXIST: 'a part of the path is a file, not a directory',
  ENOTDIR: 'a part of the path is a file, not a directory',
  EISDIR: 'the path is a directory; give a file name',
};

/** Turns a file-system error into one sentence about `path`. */
export function writeError(path: string, error: unknown): NarrowsError {
  const code = (error as NodeJS.ErrnoException)?.code ?? '';
  return new NarrowsError(`Cannot write ${path}: ${REASONS[code] ?? messageOf(error)}.`, { cause: error });
}

async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error;
  }
}

/**
 * Makes a directory and its missing parents, whoever else makes them at the same time. Node's own recursive mkdir never returns where a
 * file system refuses new entries with ENOENT (/proc), so parents are made one by one and each is tried again once.
 */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await makeOne(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    await makeOne(path);
  }
}

/**
 * Writes `path` atomically, making its directory where needed. A reader sees the old file or the new one, never a part.
 * @param content bytes, text, or a function that writes pieces to the open file handle.
 * @throws NarrowsError with the reason when the file cannot be written; the temporary file is removed.
 */
export async function writeFileAtomic(path: string, content: Uint8Array | string | Iterable<Uint8Array>): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await makeDirectory(dirname(path));
    const file = await open(temporary, 'wx');
    try {
      if (typeof content === 'string' || content instanceof Uint8Array) await file.writeFile(content);
      else for (const piece of content) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    // Where a part of the path is a file, removing fails too; the first error is the one to tell.
    await rm(temporary, { force: true }).catch(() => {});
    throw writeError(path, error);
  }
}

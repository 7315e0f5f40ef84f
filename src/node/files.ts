/** @file Files written whole or not at all: a temporary name next to the target, flushed, then renamed. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, NarrowsError } from '../system/errors.ts';
import { readError } from '../system/read-error.ts';
import { requireEnding } from './read-file.ts';

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

/** One read takes at most this many bytes (the system call's limit is 2 GiB). */
const PIECE = 1 << 30;

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

/**
 * Bytes `offset` to `offset + length` of a file, in memory of their own.
 * @throws NarrowsError when the file is missing, unreadable, or shorter
 */
export async function readRange(path: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    await requireEnding(path);
    const file = await open(path, 'r');
    try {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const { bytesRead } = await file.read(bytes, at, Math.min(PIECE, length - at), offset + at);
        if (bytesRead === 0) throw new NarrowsError(`${path} ends at byte ${offset + at}: it was cut short while in use; copy it again.`);
        at += bytesRead;
      }
      return bytes;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw readError(path, error);
  }
}

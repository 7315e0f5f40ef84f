/** @file One sentence for a file that cannot be read. */
import { messageOf, NarrowsError } from './errors.ts';

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file; check the path',
  EACCES: 'permission is denied; choose a file you may read',
  EPERM: 'permission is denied; choose a file you may read',
  EISDIR: 'it is a directory; give a file',
  ENOTDIR: 'a part of the path is a file, not a directory',
  ELOOP: 'its symbolic links run in a circle',
  EMFILE: 'too many files are open',
};

/** Turns a file-system error met while reading `path` into one sentence; a `NarrowsError` is passed through. */
export function readError(path: string, error: unknown): NarrowsError {
  if (error instanceof NarrowsError) return error;
  const code = (error as NodeJS.ErrnoException)?.code ?? '';
  return new NarrowsError(`Cannot read ${path}: ${REASONS[code] ?? messageOf(error)}.`, { cause: error });
}

/** @file The bytes of a picture file; anything but a regular file is refused, since reading a named pipe would wait for ever. */
import { readFile, stat } from '../../node/disk.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { parsePictureReference, readReference } from '../tables/picture-reference.ts';

const READ_ERRORS: Record<string, string> = {
  ENOENT: 'does not exist; check the path',
  ENOTDIR: 'does not exist: a part of the path is a file; check the path',
  EACCES: 'may not be read; check its permissions',
  EPERM: 'may not be read; check its permissions',
};

/** The bytes of a picture, by its path or its name in a parquet file. @throws NarrowsError for a path that is missing, unreadable or no regular file */
export async function readImageFile(path: string): Promise<Uint8Array> {
  try {
    const reference = parsePictureReference(path);
    const info = await stat(reference?.file ?? path);
    const kind = info.isDirectory()
      ? 'a directory'
      : info.isFIFO()
        ? 'a named pipe'
        : info.isSocket()
          ? 'a socket'
          : info.isFile()
            ? undefined
            : 'a device';
    if (kind) throw new NarrowsError(`Image ${path} is ${kind}; give the path of an image file.`);
    return await (reference ? readReference(path, `${info.size} ${info.mtimeMs}`) : readFile(path));
  } catch (error) {
    if (error instanceof NarrowsError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? '';
    throw new NarrowsError(`Image ${path} ${READ_ERRORS[code] ?? `cannot be read (${messageOf(error)})`}.`, { cause: error });
  }
}

/** @file Node's `readFile`, for files that end. */
import { type PathLike, promises } from 'node:fs';
import { NarrowsError } from '../system/errors.ts';

/** Bytes, or with an encoding the text. */
export interface ReadFile {
  (path: PathLike, encoding?: null): Promise<Buffer<ArrayBuffer>>;
  (path: PathLike, encoding: BufferEncoding): Promise<string>;
  (path: PathLike, encoding?: BufferEncoding | null): Promise<Buffer<ArrayBuffer> | string>;
}

/** Standard input, and what a shell gives for `<(command)`: whoever writes there ends. So does a terminal. */
const ENDING = /^\/(dev\/(stdin|tty|null|fd\/\d+)|proc\/(self|\d+)\/fd\/\d+)$/;

/**
 * Reads a whole file, with Node's errors.
 * @throws NarrowsError for a device (`/dev/zero` behind a link would be read until memory ends) and for a named pipe (nobody may ever write it)
 */
export const readFile = (async (path: PathLike, encoding: BufferEncoding | null = null) => {
  const info = await promises.stat(path);
  const what = info.isFIFO()
    ? 'a named pipe'
    : info.isCharacterDevice() || info.isBlockDevice()
      ? 'a device'
      : info.isSocket()
        ? 'a socket'
        : '';
  if (what && !ENDING.test(String(path))) throw new NarrowsError(`Cannot read ${path}: it is ${what}, or a link to one; give a file.`);
  return promises.readFile(path, encoding);
}) as ReadFile;

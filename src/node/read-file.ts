/** @file Node's ways to read files, for files that end. */
import { createReadStream, type PathLike, promises, readFileSync as readSync, type Stats, statSync } from 'node:fs';
import { NarrowsError } from '../system/errors.ts';

/** Bytes, or with an encoding the text. */
export interface ReadFile {
  (path: PathLike, encoding?: null): Promise<Buffer<ArrayBuffer>>;
  (path: PathLike, encoding: BufferEncoding): Promise<string>;
  (path: PathLike, encoding?: BufferEncoding | null): Promise<Buffer<ArrayBuffer> | string>;
}

/** Standard input, and what a shell gives for `<(command)`: whoever writes there ends. So does a terminal. */
const ENDING = /^\/(dev\/(stdin|tty|null|fd\/\d+)|proc\/(self|\d+)\/fd\/\d+)$/;

/** @throws NarrowsError for a device (`/dev/zero` behind a link would be read until memory ends), a named pipe (nobody may ever write it), a socket */
function refuseEndless(path: PathLike, info: Stats): void {
  const what = info.isFIFO()
    ? 'a named pipe'
    : info.isCharacterDevice() || info.isBlockDevice()
      ? 'a device'
      : info.isSocket()
        ? 'a socket'
        : '';
  if (what && !ENDING.test(String(path))) throw new NarrowsError(`Cannot read ${path}: it is ${what}, or a link to one; give a file.`);
}

/** Looks before a file is opened; what is not there is for the one who opens it. @throws NarrowsError for what never ends */
export async function requireEnding(path: PathLike): Promise<void> {
  const info = await promises.stat(path).catch(() => undefined);
  if (info) refuseEndless(path, info);
}

/** `requireEnding` at once. @throws NarrowsError for what never ends */
export function requireEndingSync(path: PathLike): void {
  const info = statSync(path, { throwIfNoEntry: false });
  if (info) refuseEndless(path, info);
}

/** Reads a whole file, with Node's errors. @throws NarrowsError for what never ends */
export const readFile = (async (path: PathLike, encoding: BufferEncoding | null = null) => {
  refuseEndless(path, await promises.stat(path));
  return promises.readFile(path, encoding);
}) as ReadFile;

/** `readFile` at once. @throws NarrowsError for what never ends */
export function readFileSync(path: PathLike): Buffer<ArrayBuffer>;
export function readFileSync(path: PathLike, encoding: BufferEncoding): string;
export function readFileSync(path: PathLike, encoding: BufferEncoding | null = null): Buffer | string {
  requireEndingSync(path);
  return readSync(path, encoding);
}

/** A file in pieces of at most `size` bytes, with Node's errors. @throws NarrowsError for what never ends; the signal's reason */
export async function* readPieces(
  path: PathLike,
  { size = 1 << 20, signal }: { readonly size?: number; readonly signal?: AbortSignal } = {},
): AsyncGenerator<Buffer> {
  refuseEndless(path, await promises.stat(path));
  const stream = createReadStream(path, { highWaterMark: size, signal });
  try {
    for await (const piece of stream) yield piece as Buffer;
  } finally {
    stream.destroy();
  }
}

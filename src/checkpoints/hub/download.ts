/** @file Downloads one file of a repository into the cache: resumed where it stopped, checked by hash, renamed into place. */

import { constants, type FileHandle, lstat, open, readPieces, rename, rm } from '../../node/disk.ts';
import { makeDirectory, writeError } from '../../node/files.ts';
import { createHash } from '../../node/hash.ts';
import { dirname } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { backOff, ConnectionError, connectionError, pause, type RequestContext, request, withinTime } from './request.ts';

/** A file of a repository. `sha256` for files in LFS or Xet, `gitSha1` (of the git blob) for the others; the one given names the blob. */
export interface RemoteFile {
  readonly path: string;
  readonly size: number;
  readonly sha256?: string;
  readonly gitSha1?: string;
}

/** Name of a file's blob in the cache: its hash, as in Python. */
export const blobName = (file: RemoteFile): string => file.sha256 ?? (file.gitSha1 as string);

/** Size in bytes of a plain file; -1 for one that does not exist, and for a link: no blob is one, so somebody planted it. */
export const sizeOfFile = (path: string): Promise<number> =>
  lstat(path).then(
    stats => (stats.isFile() ? stats.size : -1),
    () => -1,
  );

async function hashMatches(path: string, file: RemoteFile, signal?: AbortSignal): Promise<boolean> {
  const hash = createHash(file.sha256 ? 'sha256' : 'sha1');
  if (!file.sha256) hash.update(`blob ${file.size}\0`);
  for await (const chunk of readPieces(path, { signal })) hash.update(chunk);
  return hash.digest('hex') === blobName(file);
}

/** Where a body ended, and why if the line was cut. */
interface Received {
  readonly position: number;
  readonly error?: unknown;
}

/** Writes one answer's body from `position` on; returns the position reached, also when the line is cut (`error` says why). */
async function receive(
  response: Response,
  { file, from, size, target }: { file: FileHandle; from: number; size: number; target: string },
  context: RequestContext,
  onBytes: (position: number) => void,
): Promise<Received> {
  const { signal, stallTimeout = 60_000 } = context;
  let position = from;
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const abort = (): void => void reader.cancel(signal?.reason).catch(() => undefined);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    for (;;) {
      const next = await withinTime(reader.read(), stallTimeout);
      signal?.throwIfAborted();
      if (next.done) return { position };
      await file.write(next.value, 0, next.value.length, position).catch(error => {
        throw writeError(target, error);
      });
      position += next.value.length;
      if (position > size) {
        // The hash will tell whether what was announced is right.
        void reader.cancel().catch(() => undefined);
        return { position: size };
      }
      onBytes(position);
    }
  } catch (error) {
    void reader.cancel().catch(() => undefined);
    if (signal?.aborted) throw signal.reason;
    if (error instanceof NarrowsError) throw error;
    return { position, error };
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** Fills the partial file up to its size, going on where it stops. @returns whether anything was already there. */
async function fill(
  url: string,
  partial: string,
  file: RemoteFile,
  context: RequestContext,
  onBytes: (position: number) => void,
): Promise<boolean> {
  // Never through a link: another user of a shared cache could have any file of ours written over. What is no plain file is taken away.
  if (
    await lstat(partial).then(
      stats => !stats.isFile(),
      () => false,
    )
  )
    await rm(partial, { force: true, recursive: true });
  const handle = await open(partial, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW);
  try {
    let position = (await handle.stat()).size;
    if (position > file.size) {
      await handle.truncate(0);
      position = 0;
    }
    const resumed = position > 0;
    onBytes(position);
    for (let attempt = 0; position < file.size; ) {
      const headers: Record<string, string> = { 'accept-encoding': 'identity' };
      if (position > 0) headers.range = `bytes=${position}-`;
      const response = await request(url, { headers }, context);
      // 416: the server's file is shorter than what is here. A server that does not do ranges sends all of it.
      const from = response.status === 206 ? position : 0;
      if (response.status === 416) await response.body?.cancel();
      const got: Received =
        response.status === 416
          ? { position: 0 }
          : await receive(response, { file: handle, from, size: file.size, target: partial }, context, onBytes);
      if (got.error === undefined && got.position >= file.size) position = got.position;
      else {
        attempt = got.position > position ? 0 : attempt + 1;
        position = response.status === 416 ? 0 : Math.max(position, got.position);
        const error = got.error ?? new ConnectionError(`it ended after ${got.position} of ${file.size} bytes`);
        if (attempt > (context.retries ?? 5)) throw connectionError(error, context);
        await pause(backOff(attempt, context), context.signal);
      }
    }
    await handle.truncate(file.size);
    await handle.sync();
    return resumed;
  } finally {
    await handle.close();
  }
}

/**
 * Downloads `url` to `target` through `${target}.incomplete`, which is kept for the next try when the line stays cut or `signal` aborts.
 * A wrong hash removes the partial file; if part of it came from an earlier run, the whole is fetched once more.
 * @param onBytes called with the number of bytes present.
 * @throws NarrowsError when the file cannot be had or written, or its hash is wrong.
 */
export async function downloadBlob(
  url: string,
  target: string,
  file: RemoteFile,
  context: RequestContext,
  onBytes: (position: number) => void,
): Promise<void> {
  const partial = `${target}.incomplete`;
  try {
    await makeDirectory(dirname(target));
    for (;;) {
      const resumed = await fill(url, partial, file, context, onBytes);
      if (await hashMatches(partial, file, context.signal)) break;
      await rm(partial, { force: true });
      if (resumed) continue;
      throw new NarrowsError(
        `${file.path} of ${context.repository} arrived damaged (its ${file.sha256 ? 'SHA-256' : 'git hash'} is wrong) and was removed; ` +
          `try again, and check the proxy or mirror if it happens again.`,
      );
    }
    await rename(partial, target);
  } catch (error) {
    if (context.signal?.aborted) throw context.signal.reason;
    if (error instanceof NarrowsError) throw error;
    throw writeError(target, error);
  }
}

/** @file A lock between processes of Narrows: one of them downloads a file, the others wait for it. */
import { open, readFile, rename, rm, stat, utimes } from '../../node/disk.ts';
import { makeDirectory, writeError } from '../../node/files.ts';
import { hostname } from '../../node/machine.ts';
import { dirname } from '../../node/paths.ts';
import { pause } from './request.ts';

const POLL = 100;
const BEAT = 5_000;
// A lock whose owner has not shown life for this long is void (its process may run on another machine of a shared disk).
const STALE = 60_000;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    const [owner, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    const [host, pid] = owner.split(' ');
    if (Date.now() - mtimeMs > STALE) return true;
    return host === hostname() && Number(pid) > 0 && !isAlive(Number(pid));
  } catch {
    return false;
  }
}

/**
 * Runs `work` while holding the lock file `path`; waits for another holder, whose death is noticed. The lock saves double downloads;
 * correctness does not hang on it (bytes are written at fixed places, checked by hash, and renamed into place).
 * @throws NarrowsError when the lock cannot be written; the signal's reason when aborted while waiting.
 */
export async function withLock<T>(path: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  await makeDirectory(dirname(path)).catch(error => {
    throw writeError(path, error);
  });
  for (;;) {
    signal?.throwIfAborted();
    try {
      const file = await open(path, 'wx');
      await file.writeFile(`${hostname()} ${process.pid}\n`).finally(() => file.close());
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw writeError(path, error);
    }
    if (await isStale(path)) {
      // Renaming lets only one of several waiters remove it.
      const grave = `${path}.${process.pid}`;
      await rename(path, grave).then(
        () => rm(grave, { force: true }),
        () => undefined,
      );
    } else await pause(POLL, signal);
  }
  const beat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), BEAT);
  beat.unref();
  try {
    return await work();
  } finally {
    clearInterval(beat);
    await rm(path, { force: true });
  }
}

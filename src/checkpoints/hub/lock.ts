/** @file A lock between processes of Narrows: one of them downloads a file, the others wait for it. */
import { lstat, lutimes, open, readFile, rename, rm } from '../../node/disk.ts';
import { makeDirectory, writeError } from '../../node/files.ts';
import { hostname } from '../../node/machine.ts';
import { dirname } from '../../node/paths.ts';
import { pause } from './request.ts';

const POLL = 100;
const BEAT = 5_000;
// A lock whose owner has not shown life for this long is void (its process may run on another machine of a shared disk).
const SILENCE = 60_000;
/** A lock says host and process. */
const LARGEST = 4096;

/** Options of `withLock`. */
export interface LockOptions {
  readonly signal?: AbortSignal;
  /** Called with one sentence about a lock whose date cannot be right. */
  readonly onWarning?: (message: string) => void;
  /** Milliseconds without a sign of life after which a lock is void; 60 000 by default. */
  readonly silence?: number;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Watches a lock that another holds. */
class Watch {
  private sign = Number.NaN;
  private since = 0;
  private said = false;

  constructor(
    private readonly path: string,
    private readonly options: LockOptions,
  ) {}

  /** Whether its holder is dead: by its number on this machine, by its last sign of life, or by none while we look. */
  async isStale(): Promise<boolean> {
    const { silence = SILENCE, onWarning } = this.options;
    try {
      const info = await lstat(this.path);
      // No lock of ours: a pipe, or a folder, would be waited for without end.
      if (!info.isFile()) return true;
      const { mtimeMs } = info;
      // One that may not be read is judged by its age only.
      const owner = info.size > LARGEST ? '' : await readFile(this.path, 'utf8').catch(() => '');
      const [host, pid] = owner.trim().split(' ');
      if (host === hostname() && Number(pid) > 0 && !isAlive(Number(pid))) return true;
      if (mtimeMs !== this.sign) [this.sign, this.since] = [mtimeMs, performance.now()];
      const age = Date.now() - mtimeMs;
      if (age > silence) return true;
      // A clock is wrong: only what is seen here says whether the holder lives.
      if (age < -BEAT && !this.said) {
        this.said = true;
        onWarning?.(
          `The lock ${this.path} of process ${pid} on ${host} is dated ${Math.ceil(-age / 1000)} s in the future (a clock is wrong); it is waited for, and taken over after ${Math.ceil(silence / 1000)} s without a sign of life.`,
        );
      }
      return performance.now() - this.since > silence;
    } catch {
      return false;
    }
  }
}

/**
 * Runs `work` while holding the lock file `path`; waits for another holder, whose death is noticed. The lock saves double downloads;
 * correctness does not hang on it (bytes are written at fixed places, checked by hash, and renamed into place).
 * @throws NarrowsError when the lock cannot be written; the signal's reason when aborted while waiting.
 */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const { signal } = options;
  const watch = new Watch(path, options);
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
    if (await watch.isStale()) {
      // Renaming lets only one of several waiters remove it.
      const grave = `${path}.${process.pid}`;
      await rename(path, grave).then(
        () => rm(grave, { force: true }).catch(() => undefined),
        (error: NodeJS.ErrnoException) => {
          // On a disk that is read-only it would be tried for ever.
          if (error.code !== 'ENOENT') throw writeError(path, error);
        },
      );
    } else await pause(POLL, signal);
  }
  const beat = setInterval(() => void lutimes(path, new Date(), new Date()).catch(() => undefined), BEAT);
  beat.unref();
  try {
    return await work();
  } finally {
    clearInterval(beat);
    await rm(path, { force: true });
  }
}

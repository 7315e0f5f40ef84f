/** @file One process per output: a lock file that names its holder. One whose holder has ended is taken over. */
import { randomBytes } from 'node:crypto';
import { link, lstat, open, readdir, readFile, realpath, rename, rm, rmdir, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { messageOf, NarrowsError } from '../system/errors.ts';
import { makeDirectory, writeError } from './files.ts';
import { isAlive, type ProcessIdentity, thisProcess } from './process-identity.ts';

/** Name of the lock file in an output directory. */
export const LOCK_FILE = '.narrows.lock';

/** Milliseconds between two signs of life. */
const BEAT = 5_000;
/** A holder on another machine without a sign of life for so long is taken for dead; its thread may be busy for minutes. */
const SILENT = 15 * 60_000;
/** Milliseconds after which a lock file that says nothing is taken for one that was being written when its process was killed. */
const UNWRITTEN = 3_000;
const TRIES = 20;
/** Files that `writeFileAtomic` was writing. */
const LEFTOVER = /\.[0-9a-f]{12}\.tmp$/;

interface Holder extends ProcessIdentity {
  /** What it does, such as `narrows train tune`. */
  readonly command: string;
  /** ISO time. */
  readonly since: string;
  /** Distinguishes it from any other lock. */
  readonly token: string;
}

/** A lock that is held. */
export interface OutputLock extends AsyncDisposable {
  /** A sentence about the dead process that the lock was taken over from. */
  readonly takenOver?: string;
  /** @throws NarrowsError where the lock is gone: somebody removed the output, or wrote to it as well, and it is not whole */
  release(): Promise<void>;
}

/** Options of `lockOutput`. */
export interface LockOptions {
  /** What this process does, in the sentence that others get. Default: `narrows` and its words on the command line. */
  readonly command?: string;
  /** Folders of the output, relative to it, whose half-written files (`*.tmp`) are removed; the output's directory always is. */
  readonly folders?: readonly string[];
}

const held = new Set<string>();

/** `narrows train tune` of this process. */
function commandWords(): string {
  const words: string[] = [];
  for (const word of process.argv.slice(2)) {
    if (words.length === 2 || !/^[a-z][a-z-]*$/.test(word)) break;
    words.push(word);
  }
  return ['narrows', ...words].join(' ');
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, host, token, command, since, ...rest } = JSON.parse(text) as Partial<Holder>;
    if (!Number.isSafeInteger(pid) || (pid as number) < 1 || typeof host !== 'string' || typeof token !== 'string') return undefined;
    const texts = { command: typeof command === 'string' ? command : 'narrows', since: typeof since === 'string' ? since : '' };
    return { ...rest, ...texts, pid, host, token } as Holder;
  } catch {
    return undefined;
  }
}

const nameOf = ({ command, pid, host }: Holder): string => `${command}, process ${pid} on ${host}`;

/** A lock file has a few hundred bytes. */
const LARGEST = 2 ** 16;

/**
 * The text of a lock file; undefined where it is gone again, empty where it says too much to be one.
 * @throws NarrowsError for anything that is no file: a lock never is, and waiting for it would never end
 */
async function readLock(path: string): Promise<string | undefined> {
  const info = await lstat(path).catch(() => undefined);
  if (!info) return undefined;
  if (!info.isFile()) {
    const what = info.isDirectory() ? 'a directory' : info.isSymbolicLink() ? 'a link' : 'no file';
    throw new NarrowsError(`${path} is ${what} where the lock of the output must stand; delete it, or choose another output.`);
  }
  return info.size > LARGEST ? '' : readFile(path, 'utf8').catch(() => undefined);
}

/** Whether the lock of a text (undefined holder: unreadable) is void. */
async function isStale(path: string, holder: Holder | undefined): Promise<boolean> {
  const age = await stat(path).then(
    ({ mtimeMs }) => Math.abs(Date.now() - mtimeMs),
    () => 0,
  );
  if (!holder) return age > UNWRITTEN;
  const me = thisProcess();
  if (holder.host !== me.host) return age > SILENT;
  // What this very process holds stands in `held` and does not come here: an earlier process had its number (containers give out 1 again).
  if (holder.pid === me.pid) return true;
  return !isAlive(holder);
}

/**
 * Takes a void lock away, only if it is still the one that was looked at.
 * @throws NarrowsError where it cannot be taken away (a disk that has become read-only): nobody holds the output, so nobody is waited for
 */
async function bury(path: string, seen: string): Promise<boolean> {
  const grave = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await rename(path, grave);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw writeError(path, error);
  }
  const buried = (await readLock(grave).catch(() => undefined)) ?? seen;
  // Another process was faster and holds a new lock: it gets it back.
  if (buried !== seen) await link(grave, path).catch(() => {});
  await rm(grave, { force: true });
  return buried === seen;
}

/** Where the lock of an output stands: inside of a directory, next to a file. */
export const lockPath = (output: string, kind: 'directory' | 'file'): string =>
  kind === 'directory' ? join(output, LOCK_FILE) : join(dirname(output), `.${basename(output)}.lock`);

/**
 * Locks an output for this process, and removes the half-written files that a killed one left in it.
 * @param output a directory, which is made where there is none, or a file
 * @throws NarrowsError naming the holder where another process has it; where the lock cannot be written
 */
export async function lockOutput(output: string, kind: 'directory' | 'file' = 'directory', options: LockOptions = {}): Promise<OutputLock> {
  const directory = kind === 'directory' ? output : dirname(output);
  const isNew = await stat(directory).then(
    () => false,
    () => true,
  );
  await makeDirectory(directory).catch(error => {
    throw writeError(output, error);
  });
  const path = resolve(await realpath(directory), basename(lockPath(output, kind)));
  const mine: Holder = {
    ...thisProcess(),
    command: options.command ?? commandWords(),
    since: new Date().toISOString(),
    token: randomBytes(12).toString('hex'),
  };
  const text = `${JSON.stringify(mine)}\n`;
  // Of two callers in this process only the first gets as far as the file.
  if (held.has(path)) throw inUse(output, path, parseHolder(await readFile(path, 'utf8').catch(() => '')));
  held.add(path);
  let takenOver: string | undefined;
  try {
    takenOver = await acquire(output, path, text);
  } catch (error) {
    held.delete(path);
    throw error;
  }
  for (const folder of ['.', ...(options.folders ?? [])])
    await removeTemporaryFiles(folder === '.' ? directory : join(directory, folder), kind === 'file' ? basename(output) : '');
  const beat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), BEAT);
  beat.unref();
  let open_ = true;
  const release = async (): Promise<void> => {
    if (!open_) return;
    open_ = false;
    clearInterval(beat);
    held.delete(path);
    const left = await readFile(path, 'utf8').catch(() => '');
    // Where it cannot be removed, it is a dead lock for whoever comes next.
    if (left === text) await rm(path, { force: true }).catch(() => {});
    // A run that was refused after all leaves no empty directory.
    if (isNew) await rmdir(directory).catch(() => {});
    if (left === text) return;
    throw new NarrowsError(
      `${output} was removed or replaced while ${mine.command} wrote to it, and what is there now is not whole; run the same call again.`,
    );
  };
  return { takenOver, release, [Symbol.asyncDispose]: release };
}

/** Makes the lock file. @returns a sentence about a dead holder, where there was one. @throws NarrowsError naming a living one */
async function acquire(output: string, path: string, text: string): Promise<string | undefined> {
  let takenOver: string | undefined;
  for (let attempt = 0; ; attempt++) {
    if (await create(path, text)) break;
    const seen = await readLock(path);
    if (seen === undefined) {
      if (attempt > 2 * TRIES) throw inUse(output, path, undefined);
      continue;
    }
    const holder = parseHolder(seen);
    if (await isStale(path, holder)) {
      if ((await bury(path, seen)) && holder)
        takenOver = `${output} was in use by ${nameOf(holder)}, which has ended; its lock is taken over.`;
    } else if (holder || attempt >= TRIES) throw inUse(output, path, holder);
    else await new Promise(done => setTimeout(done, UNWRITTEN / TRIES));
    if (attempt > 2 * TRIES) throw inUse(output, path, holder);
  }
  // Two that buried the same dead lock may both have made one: the file says whose it is.
  const now = await readFile(path, 'utf8').catch(() => '');
  if (now !== text) throw inUse(output, path, parseHolder(now));
  return takenOver;
}

function inUse(output: string, path: string, holder: Holder | undefined): NarrowsError {
  const since = holder?.since ? ` since ${holder.since.slice(0, 16).replace('T', ' ')} UTC` : '';
  const who = holder ? nameOf(holder) : 'another process';
  const foreign = holder && holder.host !== thisProcess().host ? `, delete ${path} if that process is gone` : '';
  return new NarrowsError(`${output} is in use by ${who}${since}; wait until it has ended${foreign}, or choose another output.`);
}

/** @returns false where there is a lock already */
async function create(path: string, text: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(text);
      await file.sync();
    } catch (error) {
      // On a full disk an empty lock would be left, which the next process had to wait for.
      await rm(path, { force: true }).catch(() => {});
      throw error;
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new NarrowsError(`${writeError(dirname(path), error).message}`, { cause: messageOf(error) });
  }
}

/** Removes what `writeFileAtomic` was writing into a directory when its process was killed. @param prefix only files that begin so */
export async function removeTemporaryFiles(directory: string, prefix = ''): Promise<void> {
  const names = await readdir(directory).catch(() => [] as string[]);
  for (const name of names)
    if (name.startsWith(prefix) && LEFTOVER.test(name)) await rm(join(directory, name), { force: true }).catch(() => {});
}

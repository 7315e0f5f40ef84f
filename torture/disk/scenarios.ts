/** @file What can happen to an output folder while a command writes to it, one function per fault. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mountDisk } from '../../src/testing/disks.ts';
import { type Finished, narrows } from '../shared/call.ts';
import { workOf } from '../shared/limits.ts';
import type { Resumable } from '../shared/resumable.ts';
import { differences } from '../shared/same.ts';

/** What a scenario works with. */
export interface Place {
  /** An empty folder of its own. */
  readonly folder: string;
  /** Where the undisturbed run's `out` lies. */
  readonly whole: string;
  /** A share, from 0 to 1, that says where in the run the fault strikes. */
  readonly share: number;
  /** Seconds of work of the undisturbed run. */
  readonly work: number;
}

/** What is wrong, a line each. `undefined`: it cannot be tried here. */
export type Scenario = (one: Resumable, place: Place) => Promise<string[] | undefined>;

const LIMITS = { seconds: 60, megabytes: 4096 };
const FAULTS = fileURLToPath(new URL('faults.mjs', import.meta.url));
const faulty = (one: Resumable, folder: string, fault: string): Promise<Finished> =>
  narrows(one.words, { cwd: folder, limits: LIMITS, node: ['--import', FAULTS], env: { NARROWS_FAULT: fault } });

/** One sentence that says `says`, no stack, no death. */
function sentence({ code, signal, broken, stderr }: Finished, says: RegExp): string[] {
  if (broken) return [`it ended by ${broken}`];
  if (code === 0) return ['it ended well, although it could not write'];
  if (code === null || code > 2) return [`it died by ${signal ?? code}: ${stderr.slice(-500)}`];
  const lines = stderr
    .trim()
    .split('\n')
    .filter(line => line.startsWith('narrows: ') && !/Warning/.test(line));
  const out = /This should not have happened|^\s+at /m.test(stderr) ? [`an internal error: ${stderr}`] : [];
  if (lines.length !== 1) out.push(`${lines.length} sentences: ${stderr.slice(-500)}`);
  else if (!says.test(lines[0])) out.push(`the sentence does not say what is wrong: ${lines[0]}`);
  return out;
}

/** Files of a folder by name, but for the lock. */
function contents(folder: string): Map<string, Buffer> {
  const out = new Map<string, Buffer>();
  if (!existsSync(folder)) return out;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile() && entry.name !== '.narrows.lock') {
      const path = join(entry.parentPath, entry.name);
      out.set(path.slice(folder.length + 1), readFileSync(path));
    }
  return out;
}

/** Half-written files that were not there (a kill leaves one, which the next call takes away), and files that hold something else than before or a whole version (a log may have grown). */
function damaged(before: Map<string, Buffer>, after: Map<string, Buffer>, whole: Map<string, Buffer>): string[] {
  const out: string[] = [];
  for (const name of after.keys()) if (/\.[0-9a-f]{12}\.tmp$/.test(name) && !before.has(name)) out.push(`${name} was left half-written`);
  for (const [name, content] of before) {
    const now = after.get(name);
    if (!now) out.push(`${name} is lost`);
    else if (!now.equals(content) && !now.subarray(0, content.length).equals(content) && !whole.get(name)?.equals(now))
      out.push(`${name} is damaged`);
  }
  return out;
}

/** After the fault: the same call ends well, with the undisturbed result. */
async function mended(one: Resumable, { folder, whole }: Place): Promise<string[]> {
  const ended = await narrows(one.words, { cwd: folder, limits: LIMITS });
  if (ended.code !== 0) return [`afterwards it fails: ${ended.stderr}`];
  return differences(whole, join(folder, 'out'));
}

const sizeOf = (folder: string): number =>
  [...contents(folder).values()].reduce((sum, { length }) => sum + 4096 * Math.ceil(length / 4096 + 1), 0);

/** A disk with room for a part of the output, then with room for all. */
const full: Scenario = async (one, place) => {
  const out = join(place.folder, 'out');
  const size = Math.max(8192, Math.floor(sizeOf(place.whole) * (0.1 + 0.6 * place.share)));
  const disk = mountDisk(out, `size=${size}`);
  if (!disk) return undefined;
  try {
    const ended = await narrows(one.words, { cwd: place.folder, limits: LIMITS });
    const found = sentence(ended, /disk is full|no space/i);
    // Enough room may be left after all: files that were counted as whole blocks are smaller.
    if (ended.code === 0) return differences(place.whole, out);
    const after = contents(out);
    found.push(...damaged(new Map(), after, contents(place.whole)));
    disk.remount('size=1g');
    return [...found, ...(await mended(one, place))];
  } finally {
    disk.unmount();
  }
};

/** A finished output on a disk that has become read-only. */
const readOnly: Scenario = async (one, place) => {
  const out = join(place.folder, 'out');
  const disk = mountDisk(out, 'size=1g');
  if (!disk) return undefined;
  try {
    // Part of the output is there, as after a kill.
    await killedAt(one, place, place.work * (0.4 + 0.6 * place.share));
    const before = contents(out);
    disk.remount('ro');
    const found = sentence(await narrows(one.words, { cwd: place.folder, limits: LIMITS }), /read-only/);
    found.push(...damaged(before, contents(out), before));
    disk.remount('rw');
    return [...found, ...(await mended(one, place))];
  } finally {
    disk.unmount();
  }
};

async function killedAt(
  one: Resumable,
  { folder }: Place,
  seconds: number,
  signal: NodeJS.Signals = 'SIGKILL',
  act?: () => void,
): Promise<Finished> {
  let timer: NodeJS.Timeout | undefined;
  let done = false;
  const ended = await narrows(one.words, {
    cwd: folder,
    limits: LIMITS,
    onStart: child => {
      timer = setInterval(() => {
        if (done || (workOf(child.pid!) ?? 0) < seconds) return;
        done = true;
        if (act) act();
        else child.kill(signal);
      }, 5);
    },
  });
  clearInterval(timer);
  return ended;
}

/** Writes fail with EDQUOT from some write on: injected into Node's file functions, as quotas need rights. */
const quota: Scenario = async (one, place) => {
  const ended = await faulty(one, place.folder, `quota:${1 + Math.floor(8 * place.share)}`);
  // Few writes may be all.
  if (ended.code === 0) return differences(place.whole, join(place.folder, 'out'));
  const found = sentence(ended, /quota/i);
  found.push(...damaged(new Map(), contents(join(place.folder, 'out')), contents(place.whole)));
  return [...found, ...(await mended(one, place))];
};

/** The output is removed while the command runs. */
const removed: Scenario = async (one, place) => {
  const out = join(place.folder, 'out');
  // Moved first: nothing can be written into it while its files are being removed.
  const gone = join(place.folder, 'gone');
  const remove = (): void => {
    if (existsSync(out)) renameSync(out, gone);
    rmSync(gone, { recursive: true, force: true });
  };
  const ended = await killedAt(one, place, place.work * (0.5 + 0.4 * place.share), 'SIGKILL', remove);
  const found = ended.broken || (ended.code !== 0 && ended.code !== null) ? sentence(ended, /out\b/) : [];
  if (ended.code === null) found.push(`it died by ${ended.signal}`);
  // Whoever ends well must have written all; whoever does not must have said so.
  if (ended.code === 0) found.push(...differences(place.whole, out).map(line => `it ended well, but ${line}`));
  rmSync(out, { recursive: true, force: true });
  return [...found, ...(await mended(one, place))];
};

/** The clock goes back by a day while the command runs. */
const clock: Scenario = async (one, place) => {
  const ended = await faulty(one, place.folder, `clock:${1 + Math.floor(40 * place.share)}`);
  if (ended.code !== 0) return [`it fails: ${ended.stderr}`];
  return differences(place.whole, join(place.folder, 'out'));
};

/** Two processes at once: one works, the other names it. */
const two: Scenario = async (one, place) => {
  const pids: number[] = [];
  const onStart = (child: { pid?: number }): void => void pids.push(child.pid!);
  const both = await Promise.all([0, 1].map(() => narrows(one.words, { cwd: place.folder, limits: LIMITS, onStart })));
  const refused = both.filter(({ code }) => code !== 0);
  const found: string[] = [];
  if (refused.length > 1) found.push(`both failed: ${refused.map(({ stderr }) => stderr).join(' | ')}`);
  for (const ended of refused) {
    const other = pids[1 - both.indexOf(ended)];
    found.push(...sentence(ended, new RegExp(`in use by .*process ${other}\\b`)));
  }
  // Where one had ended before the other began, both ended well.
  return [...found, ...differences(place.whole, join(place.folder, 'out'))];
};

/** All faults. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'a full disk': full,
  'a read-only disk': readOnly,
  'a quota (injected)': quota,
  'the output removed': removed,
  'the clock a day back (injected)': clock,
  'two processes': two,
};

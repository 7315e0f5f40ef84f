/** @file The folder that shifted pictures or questions go to: whose it is, and under which settings it was begun (`shift.json`). */

import { join } from 'node:path';
import { readFile } from '../../node/disk.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { lockOutput } from '../../node/output-lock.ts';
import { NarrowsError } from '../../system/errors.ts';
import { version } from '../../system/version.ts';
import type { Context } from '../command.ts';

/** Name of the file of settings in an output. */
export const SETTINGS_FILE = 'shift.json';

/** All that decides about the bytes in an output; values are plain JSON. */
export type RunSettings = Readonly<Record<string, unknown>>;

/** Without what is undefined, which JSON does not keep. */
const plain = (value: RunSettings): RunSettings => JSON.parse(JSON.stringify(value)) as RunSettings;

async function settingsIn(path: string): Promise<RunSettings | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new NarrowsError(`Cannot read ${path} (${error.code}); choose another --output.`, { cause: error });
  });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as RunSettings;
  } catch (cause) {
    throw new NarrowsError(`${path} is not valid JSON, so what the folder holds is not known; choose another --output.`, { cause });
  }
}

/** An output that is held. */
export interface ShiftOutput {
  /** Writes the settings, before the first file goes in: a run that fails before leaves nothing that binds the next one. */
  begin(): Promise<void>;
  release(): Promise<void>;
}

/** What differs, in words, short values with what they were. */
function differences(old: RunSettings, now: RunSettings): string[] {
  const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  return keys
    .filter(key => JSON.stringify(old[key]) !== JSON.stringify(now[key]))
    .map(key => {
      const [a, b] = [old[key], now[key]].map(value => (typeof value === 'object' ? undefined : String(value ?? 'none')));
      return a === undefined || b === undefined || a.length + b.length > 60 ? key : `${key} ${a}, now ${b}`;
    });
}

/**
 * Locks an output, and compares its settings with those of this run.
 * @param remarks sentences that stand in the file, too
 * @throws NarrowsError (usage) naming the settings that differ from those that the folder was begun with
 */
export async function openShiftOutput(
  context: Context,
  output: string,
  settings: RunSettings,
  remarks: readonly string[],
): Promise<ShiftOutput> {
  const lock = await lockOutput(output, 'directory', { command: 'narrows shifts' });
  try {
    if (lock.takenOver) context.log.warn(lock.takenOver);
    const path = join(output, SETTINGS_FILE);
    const now = plain(settings);
    const { narrows: _, remarks: __, ...old } = (await settingsIn(path)) ?? now;
    const other = differences(old, now);
    if (other.length > 0)
      throw new NarrowsError(`${output} was begun with other settings (${other.join('; ')}); choose another --output, or delete it.`, {
        kind: 'usage',
      });
    const text = `${JSON.stringify({ narrows: version, ...now, ...(remarks.length ? { remarks } : {}) }, undefined, 2)}\n`;
    let begun: Promise<void> | undefined;
    return {
      begin() {
        begun ??= writeFileAtomic(path, text);
        return begun;
      },
      release: () => lock.release(),
    };
  } catch (error) {
    await lock.release().catch(() => {});
    throw error;
  }
}

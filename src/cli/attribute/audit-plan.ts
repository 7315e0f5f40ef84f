/** @file The plan of an audit: a task per different pair of the list, keyed by everything that determines its files. */
import { createHash } from 'node:crypto';
import type { ListedPair } from '../../inputs/pairs/pair-rows.ts';
import type { Task } from '../../jobs/cell.ts';

/** A line of the list whose picture can be read. */
export interface HashedPair {
  readonly listed: ListedPair;
  /** SHA-256 of the picture's file. */
  readonly sha256: string;
}

/** What a worker makes files of. */
export interface AuditJob {
  readonly key: string;
  /** The first line of the list that has this pair. */
  readonly listed: ListedPair;
  /** Path of its files without extension, relative to the audit's directory. */
  readonly stem: string;
}

/** A few readable letters of a file name. */
const slug = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\.[^.]*$/, '')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(-40) || 'pair';

/** Name of a pair in the store. @param settings of the audit, as JSON */
export const pairKey = (settings: string, { listed, sha256 }: HashedPair): string =>
  createHash('sha256')
    .update(JSON.stringify([settings, sha256, listed.text]))
    .digest('hex')
    .slice(0, 16);

/** One task per key, in the order of the list: the same pair may stand in it twice, or under another name. */
export function planAudit(settings: string, pairs: readonly HashedPair[]): Task<AuditJob>[] {
  const tasks = new Map<string, Task<AuditJob>>();
  for (const pair of pairs) {
    const key = pairKey(settings, pair);
    const known = tasks.get(key);
    const input = known?.input ?? { key, listed: pair.listed, stem: `pairs/${slug(pair.listed.image)}-${key}` };
    tasks.set(key, { input, keys: [key], units: (known?.units ?? 0) + 1 });
  }
  return [...tasks.values()];
}

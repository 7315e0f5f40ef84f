/** @file Verdicts by hand on the disk of this browser (IndexedDB). Keys are hashes: neither captions nor pictures are kept. */
import { messageOf } from '../../../system/errors.ts';
import type { Held } from '../../audit/rows.ts';
import { StudioError } from '../../protocol.ts';

const DATABASE = 'narrows-studio';
const TABLE = 'verdicts';

/** Verdicts by key. */
export interface VerdictStore {
  /** Why they last no longer than the tab; undefined: they are on the disk. */
  readonly warning?: string;
  of(key: string): Held;
  /** On the disk before it resolves; without a verdict and a note the key is forgotten. @throws StudioError where the browser does not write it */
  keep(key: string, held: Held): Promise<void>;
}

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => void request.result.createObjectStore(TABLE);
  return done(request);
}

function write(database: IDBDatabase, key: string, held: Held | undefined): Promise<void> {
  const transaction = database.transaction(TABLE, 'readwrite', { durability: 'strict' });
  const table = transaction.objectStore(TABLE);
  if (held) table.put(held, key);
  else table.delete(key);
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

/** The verdicts that this browser keeps for this site; in memory, with a warning, where it keeps none. */
export async function openVerdicts(): Promise<VerdictStore> {
  const held = new Map<string, Held>();
  let database: IDBDatabase | undefined;
  let warning: string | undefined;
  try {
    database = await openDatabase();
    const table = database.transaction(TABLE).objectStore(TABLE);
    const [keys, values] = await Promise.all([done(table.getAllKeys()), done(table.getAll() as IDBRequest<Held[]>)]);
    keys.forEach((key, i) => {
      held.set(String(key), values[i]);
    });
  } catch (error) {
    warning = `This browser keeps nothing for this page (${messageOf(error)}), so verdicts last as long as this tab: save them as JSONL.`;
  }
  return {
    warning,
    of: key => held.get(key) ?? {},
    async keep(key, { verdict, note }) {
      const value = { ...(verdict ? { verdict } : {}), ...(note ? { note } : {}) };
      const empty = Object.keys(value).length === 0;
      if (database)
        await write(database, key, empty ? undefined : value).catch(error => {
          throw new StudioError('input', `The browser did not keep the verdict (${messageOf(error)}); free disk space and judge again.`);
        });
      if (empty) held.delete(key);
      else held.set(key, value);
    },
  };
}

/** @file Where a page keeps what it downloaded: the origin's private file system, else the Cache API, else memory. Files lie there in segments. */
import { messageOf, NarrowsError } from '../../system/errors.ts';

/** Kept pieces of files, by name. A piece is there whole or not at all. */
export interface SegmentStore {
  /** `memory` is gone with the page. */
  readonly kind: 'opfs' | 'cache' | 'memory';
  get(name: string): Promise<Blob | undefined>;
  /** @throws NarrowsError where the browser gives no more room */
  put(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Forgets all whose names begin so. */
  forget(prefix: string): Promise<void>;
}

const FOLDER = 'narrows';

/** One sentence for a browser that takes no more. */
async function fullError(bytes: number, error: unknown): Promise<NarrowsError> {
  const { quota = 0, usage = 0 } = (await navigator.storage?.estimate?.().catch(() => undefined)) ?? {};
  const room = quota ? ` (${Math.round(usage / 1e6)} of ${Math.round(quota / 1e6)} MB are used)` : '';
  return new NarrowsError(
    `The browser keeps no more data for this page${room}: ${Math.ceil(bytes / 1e6)} MB were to be stored; free disk space, clear the data of this site, or load the model without a store (store: 'memory').`,
    { cause: error },
  );
}

const isFull = (error: unknown): boolean => /quota|no space/i.test(`${(error as Error)?.name} ${messageOf(error)}`);

async function fileSystemStore(): Promise<SegmentStore> {
  const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
  // Firefox's private windows give a directory and refuse to write.
  const probe = await root.getFileHandle('probe', { create: true });
  if (typeof probe.createWritable !== 'function') throw new Error('files cannot be written');
  await root.removeEntry('probe').catch(() => undefined);
  return {
    kind: 'opfs',
    async get(name) {
      try {
        return await (await root.getFileHandle(name)).getFile();
      } catch {
        return undefined;
      }
    },
    async put(name, bytes) {
      try {
        const handle = await root.getFileHandle(name, { create: true });
        const writable = await handle.createWritable();
        try {
          await writable.write(bytes);
          await writable.close();
        } catch (error) {
          await writable.abort().catch(() => undefined);
          await root.removeEntry(name).catch(() => undefined);
          throw error;
        }
      } catch (error) {
        if (isFull(error)) throw await fullError(bytes.length, error);
        throw new NarrowsError(
          `The browser cannot store ${name} (${messageOf(error)}); load the model without a store (store: 'memory').`,
          {
            cause: error,
          },
        );
      }
    },
    async forget(prefix) {
      const names: string[] = [];
      for await (const name of (root as unknown as { keys(): AsyncIterable<string> }).keys()) if (name.startsWith(prefix)) names.push(name);
      for (const name of names) await root.removeEntry(name).catch(() => undefined);
    },
  };
}

async function cacheStore(): Promise<SegmentStore> {
  const cache = await caches.open(FOLDER);
  const address = (name: string): string => `https://narrows.invalid/${name}`;
  return {
    kind: 'cache',
    get: async name => (await cache.match(address(name)))?.blob(),
    async put(name, bytes) {
      try {
        await cache.put(address(name), new Response(bytes));
      } catch (error) {
        if (isFull(error)) throw await fullError(bytes.length, error);
        throw new NarrowsError(
          `The browser cannot store ${name} (${messageOf(error)}); load the model without a store (store: 'memory').`,
          {
            cause: error,
          },
        );
      }
    },
    async forget(prefix) {
      for (const { url } of await cache.keys()) if (url.startsWith(address(prefix))) await cache.delete(url);
    },
  };
}

/** Keeps pieces as long as the page lives. */
export function memoryStore(): SegmentStore {
  const all = new Map<string, Blob>();
  return {
    kind: 'memory',
    get: async name => all.get(name),
    put: async (name, bytes) => void all.set(name, new Blob([bytes])),
    forget: async prefix => {
      for (const name of all.keys()) if (name.startsWith(prefix)) all.delete(name);
    },
  };
}

/**
 * The best store that this page has. @param onWarning told in one sentence where only memory is left (a private window, a page without https)
 */
export async function openStore(onWarning: (message: string) => void = () => {}): Promise<SegmentStore> {
  const reasons: string[] = [];
  for (const open of [fileSystemStore, cacheStore]) {
    try {
      return await open();
    } catch (error) {
      reasons.push(messageOf(error));
    }
  }
  onWarning(
    `This browser window keeps no files (a private window, or a page without https: ${[...new Set(reasons)].join('; ')}); the model stays in memory and is downloaded again next time.`,
  );
  return memoryStore();
}

/** Forgets every model that pages of this site downloaded. */
export async function clearStore(): Promise<void> {
  await (await openStore()).forget('');
}

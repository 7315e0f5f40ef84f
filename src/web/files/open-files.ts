/** @file The files of a model, wherever a page finds them: an address, the hub, a person's choice. Downloads come first, then all is read from blobs. */
import { NarrowsError } from '../../system/errors.ts';
import type { ModelFiles } from '../../system/model-files.ts';
import { blobFiles, chosenFiles } from './blob-files.ts';
import { downloadFile, type RemoteFile } from './download.ts';
import type { FetchOptions } from './fetch-range.ts';
import { listAddress, listHub } from './listing.ts';
import { registerFiles } from './places.ts';
import { memoryStore, openStore } from './store.ts';

/** A model: an address (of the folder of its files), `org/name[@revision]` on the hub, files that a person chose, or files of one's own. */
export type Place = string | URL | Iterable<File> | ModelFiles;

/** Bytes of one file, and of all that this model needs, as far as they are known. */
export interface DownloadProgress {
  readonly file: string;
  readonly loaded: number;
  readonly total: number;
  readonly loadedAll: number;
  readonly totalAll: number;
}

/** How a model's files are found. */
export interface FileOptions extends FetchOptions {
  /**
   * Where downloads are kept: `auto` is the page's private file system, else its Cache, else memory (which is said); `memory` keeps nothing
   * beyond the page.
   */
  readonly store?: 'auto' | 'memory';
  /** Of an address: names of the model's files. Without them the server is asked for each that may be there (and answers 404 to some). */
  readonly files?: readonly string[];
  /** Of an address: SHA-256 of files, hexadecimal, by name; other bytes are refused. */
  readonly sha256?: Readonly<Record<string, string>>;
  /** Of the hub: a mirror's address in place of https://huggingface.co. */
  readonly endpoint?: string;
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** What was assumed, ignored or is missing, in sentences. */
  readonly onWarning?: (message: string) => void;
}

const isFiles = (place: object): place is ModelFiles => typeof (place as ModelFiles).read === 'function';

/** `org/name[@revision]`; an address has a scheme, or begins with a slash or a dot. */
const HUB_NAME = /^([A-Za-z0-9_][\w.-]*\/[A-Za-z0-9_][\w.-]*?)(?:@([\w][\w./+-]*))?$/;

async function download(name: string, remote: readonly RemoteFile[], options: FileOptions): Promise<ModelFiles> {
  const warnings = new Set<string>();
  const onWarning = (message: string): void => {
    if (!warnings.has(message)) options.onWarning?.(message);
    warnings.add(message);
  };
  const store = options.store === 'memory' ? memoryStore() : await openStore(onWarning);
  const totals = new Map(remote.map(({ name, size }) => [name, size ?? 0]));
  const here = new Map<string, number>();
  const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
  const blobs = new Map<string, Blob>();
  const fetchOne = async (file: RemoteFile): Promise<void> => {
    const sha256 = options.sha256?.[file.name] ?? file.sha256;
    const onBytes = (loaded: number, total?: number): void => {
      totals.set(file.name, total ?? Math.max(loaded, totals.get(file.name) ?? 0));
      here.set(file.name, loaded);
      const all = { loadedAll: sum(here.values()), totalAll: sum(totals.values()) };
      options.onProgress?.({ file: file.name, loaded, total: totals.get(file.name) ?? 0, ...all });
    };
    blobs.set(file.name, await downloadFile({ ...file, sha256 }, { ...options, store, onBytes, onWarning }));
  };
  // Weights come one after another: a line has so much and no more.
  const isLarge = (file: RemoteFile): boolean => file.name.endsWith('.safetensors');
  await Promise.all(remote.filter(file => !isLarge(file)).map(fetchOne));
  for (const file of remote) if (isLarge(file)) await fetchOne(file);
  return registerFiles(blobFiles(name, new Map(remote.map(file => [file.name, blobs.get(file.name) as Blob]))));
}

/**
 * The files of a model. @returns files that lie in this page's store or memory: nothing is fetched later
 * @throws NarrowsError in one sentence for whatever keeps them from being here; the signal's reason when aborted
 */
export async function openFiles(place: Place, options: FileOptions = {}): Promise<ModelFiles> {
  if (typeof place === 'object' && !(place instanceof URL)) return registerFiles(isFiles(place) ? place : chosenFiles(place));
  const text = String(place);
  const hub = typeof place === 'string' ? HUB_NAME.exec(text) : null;
  if (hub) {
    const [, repository, revision = 'main'] = hub;
    const { files } = await listHub(repository, revision, options);
    return download(repository, files, options);
  }
  let base: URL;
  try {
    base = new URL(text, (globalThis as { location?: Location }).location?.href);
  } catch {
    throw new NarrowsError(`"${text}" is neither an address nor a name of the form org/name; give one, or files.`, { kind: 'usage' });
  }
  const { token: _, ...open } = options;
  const name = decodeURIComponent(base.pathname.replace(/\/+$/, '').split('/').at(-1) ?? '') || base.host;
  return download(name, await listAddress(base.href, options.files, open), open);
}

/** @file From a model's name to a directory: a path as it is, or `org/name[@revision]` from the Hugging Face hub through the shared cache. */

import type { ListFileEntry } from '@huggingface/hub';
import { existsSync, readdirSync, readFileSync, statSync } from '../../node/disk.ts';
import { diskFiles } from '../../node/disk-files.ts';
import { homedir } from '../../node/machine.ts';
import { basename, join, resolve } from '../../node/paths.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { WEIGHTS, WEIGHTS_INDEX } from '../checkpoint.ts';
import { foreignLayout } from '../foreign.ts';
import { isWeights, OPTIONAL_FILES, refusePickled, shardNames, TOKENIZER_PARTS } from '../needed-files.ts';
import { isOpenClip, OPEN_CLIP_CONFIG, OPEN_CLIP_WEIGHTS } from '../open-clip.ts';
import { CachedRepository, isCommit } from './cache.ts';
import { blobName, downloadBlob, type RemoteFile, sizeOfFile } from './download.ts';
import { withLock } from './lock.ts';
import { type Patience, type RequestContext, requestWhole, unavailable } from './request.ts';
import { accessToken, cacheDirectory, type Environment, hubEndpoint, isOffline } from './settings.ts';

/** Bytes of one file (`loaded` of `total`) and of all files of this call. */
export interface DownloadProgress {
  readonly status: 'initiate' | 'progress' | 'done';
  readonly file: string;
  readonly loaded: number;
  readonly total: number;
  readonly loadedAll: number;
  readonly totalAll: number;
}

/** What stands before a name in open_clip's own spelling (`hf-hub:org/name`, `local-dir:path`) and in this package's. */
const OPEN_CLIP_SCHEMA = /^(open_clip|hf-hub|local-dir):/;

/** How a model is looked for. */
export interface ResolveOptions extends Patience {
  /** Branch, tag or commit; one after an `@` in the name comes first. Default `main`. */
  readonly revision?: string;
  /** Never use the network (as `HF_HUB_OFFLINE=1` does). */
  readonly localFilesOnly?: boolean;
  readonly cacheDirectory?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Called with one sentence when the hub cannot be reached or is busy and the cache is used instead, and about a lock that is odd. */
  readonly onWarning?: (message: string) => void;
  /** Default `process.env`. */
  readonly env?: Environment;
}

/** A checkpoint's directory. `name` is `org/name` or the directory's own name; `revision` the commit hash for one from the hub. */
export interface ResolvedModel {
  readonly directory: string;
  readonly name: string;
  readonly revision?: string;
}

const isPath = (ref: string): boolean => /^[./~\\]|\\|^[A-Za-z]:|\/$|\/.*\//.test(ref);

function localDirectory(ref: string): ResolvedModel | undefined {
  const path = ref === '~' || ref.startsWith('~/') ? join(homedir(), ref.slice(1)) : ref;
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory()) {
    const names = readdirSync(path);
    const foreign = foreignLayout(path, names, name => readFileSync(join(path, name), 'utf8'));
    if (foreign) throw foreign;
    // Weights that are pickled are named by openCheckpoint, with the conversion in place; a tokenizer next to them can be read.
    return { directory: resolve(path), name: basename(resolve(path)) };
  }
  if (stats) throw new NarrowsError(`${ref} is a file: give the directory that holds config.json and the weights.`);
  if (isPath(ref.replace(/@.*/, ''))) throw new NarrowsError(`There is no directory ${ref}: check the path, or give a name like org/name.`);
  return undefined;
}

function parseName(ref: string, revision = 'main'): { name: string; revision: string } {
  const at = ref.indexOf('@');
  const name = at < 0 ? ref : ref.slice(0, at);
  const wanted = at < 0 ? revision : ref.slice(at + 1);
  const plain = /^([A-Za-z0-9_][\w.-]*\/)?[A-Za-z0-9_][\w.-]*$/.test(name) && !/--|\.\./.test(name);
  if (!plain) throw new NarrowsError(`"${ref}" is neither a directory nor a name of the form org/name or org/name@revision.`);
  if (!/^[\w][\w./+-]*$/.test(wanted) || wanted.includes('..')) {
    throw new NarrowsError(`"${wanted}" is not a revision: give a branch, tag or commit after the @.`);
  }
  return { name, revision: wanted };
}

/** Pages of a thousand files each: no repository has so many, and a server whose pages never end is not followed for ever. */
const MOST_PAGES = 100;

/** Calls of the hub library, through our patient `fetch`. Loaded when needed: cached models start faster without it. */
async function askHub(context: RequestContext): Promise<{ commit(): Promise<string>; files(commit: string): Promise<ListFileEntry[]> }> {
  const { listFiles, modelInfo } = await import('@huggingface/hub');
  let requests = 0;
  const patient = (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    if (++requests > MOST_PAGES)
      throw new NarrowsError(`${context.endpoint} lists ${context.repository} on more than ${MOST_PAGES} pages; check HF_ENDPOINT.`);
    return requestWhole(String(input), init, context);
  };
  const common = { hubUrl: context.endpoint, fetch: patient as typeof fetch };
  const understood = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof NarrowsError || context.signal?.aborted) throw error;
      const message = `${context.endpoint} does not answer as the hub does (${messageOf(error)}): check HF_ENDPOINT.`;
      throw new NarrowsError(message, { cause: error });
    }
  };
  return {
    commit: () =>
      understood(async () => {
        const { sha } = await modelInfo({ ...common, name: context.repository, revision: context.revision, additionalFields: ['sha'] });
        if (!isCommit(sha)) throw new Error('no commit hash');
        return sha;
      }),
    files: commit =>
      understood(async () => {
        const entries: ListFileEntry[] = [];
        for await (const entry of listFiles({ ...common, repo: context.repository, revision: commit })) entries.push(entry);
        return entries.filter(entry => entry.type === 'file');
      }),
  };
}

function remoteFile(entry: ListFileEntry, context: RequestContext): RemoteFile {
  const { path, size, oid } = entry;
  if (entry.lfs && /^[0-9a-f]{64}$/.test(entry.lfs.oid)) return { path, size: entry.lfs.size, sha256: entry.lfs.oid };
  if (!entry.lfs && oid && /^[0-9a-f]{40}$/.test(oid)) return { path, size, gitSha1: oid };
  throw new NarrowsError(
    `${context.endpoint} gives no hash for ${path} of ${context.repository}, so it cannot be checked; try another mirror.`,
  );
}

/** Downloads what a snapshot lacks of its needed files. */
async function completeSnapshot(
  repository: CachedRepository,
  commit: string,
  entries: readonly ListFileEntry[],
  context: RequestContext,
  { onProgress, onWarning }: Pick<ResolveOptions, 'onProgress' | 'onWarning'>,
): Promise<void> {
  const paths = entries.map(entry => entry.path);
  const has = new Map(entries.map(entry => [entry.path, entry]));
  const foreign = foreignLayout(
    context.repository,
    paths.filter(path => !path.includes('/')),
  );
  if (foreign) throw foreign;
  refusePickled(context.repository, paths);
  if (!has.has('config.json') && !has.has(OPEN_CLIP_CONFIG))
    throw new NarrowsError(`${context.repository} has no config.json, so it is no checkpoint in Hugging Face's format.`);
  const totals = { loaded: 0, total: 0 };

  const fetchAll = async (names: readonly string[]): Promise<void> => {
    const files: RemoteFile[] = [];
    for (const name of names) {
      const entry = has.get(name);
      if (!entry) throw new NarrowsError(`${context.repository} lacks ${name}, which its ${WEIGHTS_INDEX} names.`);
      const file = remoteFile(entry, context);
      if ((await repository.sizeOf(commit, name)) === file.size) continue;
      files.push(file);
      if ((await sizeOfFile(repository.blob(blobName(file)))) !== file.size) totals.total += file.size;
    }
    for (const file of files) await fetchOne(file);
  };

  const fetchOne = async (file: RemoteFile): Promise<void> => {
    const blob = repository.blob(blobName(file));
    const present = async (): Promise<boolean> => (await sizeOfFile(blob)) === file.size;
    if (!(await present())) {
      const before = totals.loaded;
      const tell = (status: DownloadProgress['status'], loaded: number): void => {
        totals.loaded = before + loaded;
        onProgress?.({ status, file: file.path, loaded, total: file.size, loadedAll: totals.loaded, totalAll: totals.total });
      };
      tell('initiate', 0);
      await withLock(repository.lock(blobName(file)), { signal: context.signal, onWarning }, async () => {
        const url = `${context.endpoint}/${context.repository}/resolve/${commit}/${encodeURI(file.path)}`;
        if (!(await present())) await downloadBlob(url, blob, file, context, loaded => tell('progress', loaded));
      });
      tell('done', file.size);
    }
    await repository.link(commit, file.path, blobName(file));
  };

  const optional = [...OPTIONAL_FILES, ...(has.has('tokenizer.json') ? [] : TOKENIZER_PARTS)];
  const weights = paths.filter(isWeights);
  if (weights.length === 0 && !has.has(WEIGHTS_INDEX))
    throw new NarrowsError(`${context.repository} has no weights (*.safetensors) next to its config.json.`);
  await fetchAll(['config.json', ...optional].filter(name => has.has(name)));
  // Where a repository holds a model in two layouts, its configs say which weights count.
  const openClip = has.has(OPEN_CLIP_WEIGHTS) && (await isOpenClip(diskFiles(repository.snapshot(commit)), paths));
  if (openClip) await fetchAll([OPEN_CLIP_WEIGHTS]);
  else if (has.has(WEIGHTS)) await fetchAll([WEIGHTS]);
  else if (has.has(WEIGHTS_INDEX)) {
    await fetchAll([WEIGHTS_INDEX]);
    const index = join(repository.snapshot(commit), WEIGHTS_INDEX);
    await fetchAll(shardNames(readFileSync(index, 'utf8'), `${WEIGHTS_INDEX} of ${context.repository}`));
  } else {
    await fetchAll(weights);
  }
  for (const name of optional) if (!has.has(name)) await repository.noteAbsent(commit, name);
}

async function offline(repository: CachedRepository, revision: string): Promise<ResolvedModel> {
  const commit = isCommit(revision) ? revision : await repository.readReference(revision);
  const name = repository.name;
  const snapshot = commit && repository.snapshot(commit);
  const remedy = `unset HF_HUB_OFFLINE to download it, or copy it into the cache`;
  if (!commit || !snapshot || !existsSync(snapshot)) {
    throw new NarrowsError(`${name}@${revision} is not in the cache ${repository.directory}, and the network is off: ${remedy}.`);
  }
  const { required } = await repository.missing(commit);
  if (required.length > 0) {
    refusePickled(name, readdirSync(snapshot));
    throw new NarrowsError(
      `The cached ${name}@${revision} lacks ${required.join(', ')} in ${snapshot}, and the network is off: ${remedy}.`,
    );
  }
  return { directory: snapshot, name, revision: commit };
}

/**
 * A directory with the files of a checkpoint. An existing directory (`~` allowed) is used as it is; otherwise `ref` is `org/name[@revision]`
 * (`open_clip:`, `hf-hub:` and `local-dir:` before it mean nothing else),
 * found in the cache that Python uses too or downloaded into it: config, tokenizer, preprocessor and safetensors only, resumed, checked by
 * hash. Requests: none for a commit that is complete in the cache, one for a branch or tag whose commit is.
 * @throws NarrowsError in one sentence for everything that can go wrong; the signal's reason when aborted.
 */
export async function resolveModel(ref: string, options: ResolveOptions = {}): Promise<ResolvedModel> {
  const { env = process.env, signal, onProgress, onWarning } = options;
  if (ref.trim() === '') throw new NarrowsError('The model has no name: give a directory or a name like org/name.');
  const plain = ref.replace(OPEN_CLIP_SCHEMA, '');
  const local = localDirectory(plain);
  if (local) return local;
  const { name, revision } = parseName(plain, options.revision);
  const repository = new CachedRepository(options.cacheDirectory ?? cacheDirectory(env), name);
  if (options.localFilesOnly || isOffline(env)) return offline(repository, revision);

  const isComplete = async (commit: string): Promise<boolean> => {
    const { required, unknown } = await repository.missing(commit);
    return required.length + unknown.length === 0;
  };
  const done = (commit: string): ResolvedModel => ({ directory: repository.snapshot(commit), name, revision: commit });
  if (isCommit(revision) && (await isComplete(revision))) return done(revision);

  const { retries, retryDelay, stallTimeout } = options;
  const context = {
    endpoint: hubEndpoint(env),
    token: accessToken(env),
    signal,
    repository: name,
    revision,
    retries,
    retryDelay,
    stallTimeout,
  };
  try {
    const hub = await askHub(context);
    const commit = isCommit(revision) ? revision : await hub.commit();
    if (!(await isComplete(commit)))
      await completeSnapshot(repository, commit, await hub.files(commit), context, { onProgress, onWarning });
    await repository.writeReference(revision, commit);
    return done(commit);
  } catch (error) {
    const reason = unavailable(error);
    if (reason === undefined) throw error;
    const cached = await offline(repository, revision).catch(() => undefined);
    if (!cached) throw error;
    onWarning?.(`${context.endpoint} ${reason}; the cached ${name} at ${cached.revision?.slice(0, 8)} is used.`);
    return cached;
  }
}

/** @file Python's cache layout, `models--org--name/{blobs,refs,snapshots,.no_exist}`, shared with huggingface_hub. */

import { copyFile, readdir, readFile, realpath, rename, rm, stat, symlink, writeFile } from '../../node/disk.ts';
import { makeDirectory, writeError, writeFileAtomic } from '../../node/files.ts';
import { randomBytes } from '../../node/hash.ts';
import { dirname, join, relative, sep } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { WEIGHTS, WEIGHTS_INDEX } from '../checkpoint.ts';
import { isWeights, OPTIONAL_FILES, shardNames, TOKENIZER_PARTS } from '../needed-files.ts';
import { OPEN_CLIP_CONFIG, OPEN_CLIP_WEIGHTS } from '../open-clip.ts';
import { cacheDirectory, type Environment } from './settings.ts';

/** A full commit hash. */
export const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const real = (path: string): Promise<string | undefined> => realpath(path).catch(() => undefined);
const lies = (path: string, root: string | undefined): boolean => root !== undefined && path.startsWith(root + sep);

/** One repository in the cache. */
export class CachedRepository {
  readonly directory: string;
  /** `org/name`. */
  readonly name: string;
  private readonly locks: string;

  constructor(cache: string, name: string) {
    const folder = `models--${name.replaceAll('/', '--')}`;
    this.name = name;
    this.directory = join(cache, folder);
    this.locks = join(cache, '.locks', folder);
  }

  blob(name: string): string {
    return join(this.directory, 'blobs', name);
  }

  // Not Python's own `.lock`, which it holds by flock and may leave behind.
  lock(blob: string): string {
    return join(this.locks, `${blob}.narrows.lock`);
  }

  snapshot(commit: string): string {
    return join(this.directory, 'snapshots', commit);
  }

  /** The commit that a branch or tag had when last seen; undefined when never. */
  async readReference(revision: string): Promise<string | undefined> {
    const commit = await readFile(join(this.directory, 'refs', revision), 'utf8').catch(() => '');
    return isCommit(commit.trim()) ? commit.trim() : undefined;
  }

  async writeReference(revision: string, commit: string): Promise<void> {
    if (revision === commit || (await this.readReference(revision)) === commit) return;
    await writeFileAtomic(join(this.directory, 'refs', revision), commit);
  }

  /** Makes `path` of a snapshot point to a blob by a relative link (a copy where links are not allowed). */
  async link(commit: string, path: string, blob: string): Promise<void> {
    const target = join(this.snapshot(commit), path);
    const source = this.blob(blob);
    const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      await makeDirectory(dirname(target));
      await symlink(relative(dirname(target), source), temporary).catch(() => copyFile(source, temporary));
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary, { force: true });
      throw writeError(target, error);
    }
  }

  /** Notes as Python does that a commit has no such file, so that nobody needs to ask again. */
  async noteAbsent(commit: string, path: string): Promise<void> {
    const note = join(this.directory, '.no_exist', commit, path);
    try {
      await makeDirectory(dirname(note));
      // Not over what is there, which may be a link to anywhere.
      await writeFile(note, '', { flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
      throw writeError(note, error);
    }
  }

  /**
   * Size of a snapshot's file; -1 where there is none. A link that leads out of the repository counts as none: it was planted, since Python and
   * Narrows only link to blobs. (The folder of the blobs may itself lie on another disk.)
   */
  async sizeOf(commit: string, path: string): Promise<number> {
    const target = await real(join(this.snapshot(commit), path));
    if (target === undefined) return -1;
    const roots = await Promise.all([this.directory, join(this.directory, 'blobs')].map(real));
    if (!roots.some(root => lies(target, root))) return -1;
    const stats = await stat(target).catch(() => undefined);
    return stats?.isFile() ? stats.size : -1;
  }

  /**
   * What a snapshot still lacks. `required` names the files without which no checkpoint is one; `unknown` those that may exist or not.
   * @throws NarrowsError for a broken shard index.
   */
  async missing(commit: string): Promise<{ required: string[]; unknown: string[] }> {
    const snapshot = this.snapshot(commit);
    const has = async (path: string): Promise<boolean> => (await this.sizeOf(commit, path)) >= 0;
    const isUnknown = async (path: string): Promise<boolean> =>
      !(await has(path)) && !(await exists(join(this.directory, '.no_exist', commit, path)));
    const openClip = await has(OPEN_CLIP_CONFIG);
    const required = openClip || (await has('config.json')) ? [] : ['config.json'];
    const known = openClip && (await has(OPEN_CLIP_WEIGHTS));
    if (!known && !(await has(WEIGHTS))) {
      if (await has(WEIGHTS_INDEX)) {
        const index = join(snapshot, WEIGHTS_INDEX);
        for (const shard of shardNames(await readFile(index, 'utf8'), index)) if (!(await has(shard))) required.push(shard);
      } else if (!(await readdir(snapshot).catch((): string[] => [])).some(isWeights)) required.push(WEIGHTS);
    }
    const optional: string[] = [...OPTIONAL_FILES, ...((await has('tokenizer.json')) ? [] : TOKENIZER_PARTS)];
    const unknown: string[] = [];
    for (const path of optional) if (await isUnknown(path)) unknown.push(path);
    return { required, unknown };
  }
}

/** A checkpoint in the cache. */
export interface CachedModel {
  /** `org/name`. */
  readonly name: string;
  /** Commit hash. */
  readonly revision: string;
  /** Branches and tags that point to it. */
  readonly references: readonly string[];
  /** Size of the snapshot's files, links followed. */
  readonly bytes: number;
  /** The snapshot's directory. */
  readonly path: string;
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const nested = entries.map(entry => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? filesBelow(path) : Promise.resolve([path]);
  });
  return (await Promise.all(nested)).flat();
}

/**
 * Model snapshots in the cache, by name; whatever is damaged is ignored. (The hub library's `scanCacheDir` leaves out repositories
 * without a branch, which a download by commit makes, and fails without a cache.)
 * @throws NarrowsError when the cache is not a directory.
 */
export async function listCached(options: { readonly cacheDirectory?: string; readonly env?: Environment } = {}): Promise<CachedModel[]> {
  const cache = options.cacheDirectory ?? cacheDirectory(options.env);
  const folders = await readdir(cache).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw new NarrowsError(`The cache ${cache} cannot be read: set HF_HUB_CACHE to a directory that can.`, { cause: error });
  });
  const found: CachedModel[] = [];
  for (const folder of folders.filter(name => name.startsWith('models--')).sort()) {
    const refs = join(cache, folder, 'refs');
    const references = await Promise.all(
      (await filesBelow(refs)).map(async path => ({ name: relative(refs, path), commit: (await readFile(path, 'utf8')).trim() })),
    );
    for (const revision of await readdir(join(cache, folder, 'snapshots')).catch((): string[] => [])) {
      if (!isCommit(revision)) continue;
      const path = join(cache, folder, 'snapshots', revision);
      const sizes = await Promise.all(
        (await filesBelow(path)).map(file =>
          stat(file).then(
            ({ size }) => size,
            () => 0,
          ),
        ),
      );
      const names = references.filter(({ commit }) => commit === revision).map(({ name }) => name);
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      found.push({ name: folder.slice('models--'.length).replaceAll('--', '/'), revision, references: names, bytes, path });
    }
  }
  return found;
}

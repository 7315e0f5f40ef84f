/** @file Where a data set lies: a file, a folder, or a name in the Hugging Face hub's cache; and which of its files belong together. */
import { cacheDirectory, type Environment } from '../../checkpoints/hub/settings.ts';
import { readdir, readFile, stat } from '../../node/disk.ts';
import { homedir } from '../../node/machine.ts';
import { basename, dirname, join } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { readError } from '../../system/read-error.ts';

/** A place with data. */
export interface DataPlace {
  /** A folder, or the folder of `file`. */
  readonly folder: string;
  /** Where a single file was given. */
  readonly file?: string;
  /** Paths below the folder, with `/`, sorted; hidden ones left out. Only the file's name where a file was given. */
  readonly files: readonly string[];
}

/** Folders are looked through so many levels deep, and up to so many files. */
const LIMITS = { depth: 5, files: 200_000 };

async function filesBelow(folder: string, prefix = '', depth: number = LIMITS.depth, out: string[] = []): Promise<string[]> {
  const entries = await readdir(join(folder, prefix), { withFileTypes: true }).catch((error: unknown) => {
    throw readError(join(folder, prefix), error);
  });
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = `${prefix}${entry.name}`;
    // The hub's cache holds links to its blobs.
    const isFolder = entry.isSymbolicLink()
      ? ((await stat(join(folder, path)).catch(() => undefined))?.isDirectory() ?? false)
      : entry.isDirectory();
    if (isFolder && depth > 0) await filesBelow(folder, `${path}/`, depth - 1, out);
    else if (!isFolder) out.push(path);
    if (out.length > LIMITS.files)
      throw new NarrowsError(`${folder} holds more than ${LIMITS.files} files; give the folder of the data set.`);
  }
  return out;
}

async function cached(name: string, revision: string, env: Environment): Promise<string | undefined> {
  const repository = join(cacheDirectory(env), `datasets--${name.replaceAll('/', '--')}`);
  const commit = await readFile(join(repository, 'refs', revision), 'utf8').catch(() => revision);
  const snapshots = await readdir(join(repository, 'snapshots')).catch((): string[] => []);
  const found = snapshots.includes(commit.trim())
    ? commit.trim()
    : revision === 'main' && snapshots.length === 1
      ? snapshots[0]
      : undefined;
  return found && join(repository, 'snapshots', found);
}

/**
 * Finds data by a path, or by `org/name[@revision]` in the cache that Python's `huggingface_hub` uses too. Nothing is downloaded.
 * @throws NarrowsError that says how to get the set where it is not there
 */
export async function findData(data: string, env: Environment = process.env): Promise<DataPlace> {
  const path = data === '~' || data.startsWith('~/') ? join(homedir(), data.slice(1)) : data;
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw readError(path, error);
  });
  if (info?.isDirectory()) return { folder: path, files: (await filesBelow(path)).sort() };
  if (info) return { folder: dirname(path), file: path, files: [basename(path)] };
  const [, name, revision = 'main'] = /^([\w][\w.-]*\/[\w][\w.-]*)(?:@([\w][\w./-]*))?$/.exec(data) ?? [];
  if (name === undefined || /\.\.|--/.test(name)) throw new NarrowsError(`There is no file or folder ${data}; check the path of the data.`);
  const folder = await cached(name, revision, env);
  if (folder === undefined)
    throw new NarrowsError(
      `There is no folder ${data}, and the data set ${name} is not in the cache ${cacheDirectory(env)}; get it with "hf download --repo-type dataset ${name}" or give a folder.`,
    );
  return { folder, files: (await filesBelow(folder)).sort() };
}

/** Files of one split, in the order of their rows. */
export interface Shards {
  /** The folder below the set's, such as `data` or `Accounting`; empty at the top. */
  readonly config: string;
  /** As the file's name begins: `test`, `validation`. */
  readonly split: string;
  /** Paths that can be opened. */
  readonly files: readonly string[];
}

const SHARD = /^(.*?)-(\d{5})-of-(\d{5})(?:-[0-9a-f]+)?\.parquet$/;

/**
 * The parquet files of a place, by folder and split. Files that are named as Hugging Face names shards come before others, which are only
 * taken where there are none.
 * @throws NarrowsError where a shard is missing
 */
export function parquetShards({ folder, file, files }: DataPlace): Shards[] {
  if (file !== undefined)
    return /\.parquet$/i.test(file) ? [{ config: '', split: basename(file).replace(/-\d{5}-of-.*|\.parquet$/i, ''), files: [file] }] : [];
  const found = new Map<string, { config: string; split: string; of: number; parts: Map<number, string> }>();
  const others: Shards[] = [];
  for (const path of files.filter(one => /\.parquet$/i.test(one))) {
    const slash = path.lastIndexOf('/');
    const [config, name] = [path.slice(0, Math.max(slash, 0)), path.slice(slash + 1)];
    const [, split, part, of] = SHARD.exec(name) ?? [];
    if (split === undefined) {
      others.push({ config, split: name.replace(/\.parquet$/i, ''), files: [join(folder, path)] });
      continue;
    }
    const key = `${config}\0${split}\0${of}`;
    const group = found.get(key) ?? { config, split, of: Number(of), parts: new Map<number, string>() };
    group.parts.set(Number(part), join(folder, path));
    found.set(key, group);
  }
  for (const { config, split, of, parts } of found.values()) {
    const missing = Array.from({ length: of }, (_, i) => i).find(i => !parts.has(i));
    if (missing === undefined) continue;
    const name = `${split}-${String(missing).padStart(5, '0')}-of-${String(of).padStart(5, '0')}.parquet`;
    throw new NarrowsError(`${join(folder, config)} holds ${parts.size} of the ${of} files of ${split}: ${name} is missing; fetch it.`);
  }
  if (found.size === 0) return others;
  return [...found.values()].map(({ config, split, parts }) => ({
    config,
    split,
    files: [...parts].sort(([a], [b]) => a - b).map(([, path]) => path),
  }));
}

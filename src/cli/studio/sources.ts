/** @file What the studio was started with (`--data`): lists and folders of pairs, comparisons, evaluations. The page knows them by id only. */
import { createHash } from 'node:crypto';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve, sep } from 'node:path';
import { folderList } from '../../inputs/pairs/folder.ts';
import { listPairs } from '../../inputs/pairs/list-pairs.ts';
import type { ListedPair } from '../../inputs/pairs/pair-rows.ts';
import { pictureFile } from '../../inputs/tables/picture-reference.ts';
import { requireEnding } from '../../node/read-file.ts';
import type { SourceInfo } from '../../studio/facts.ts';
import { StudioError } from '../../studio/protocol.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';

/** A source on the disk. */
export interface Source {
  readonly info: SourceInfo;
  /** The file or folder. */
  readonly path: string;
  /** Of pairs: the list that commands read; none where the captions stand in text files beside the pictures. */
  readonly list?: string;
}

/** Whether a JSON file begins as results do: with an object, not with a list of pairs. */
async function holdsObject(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0);
  return /^\uFEFF?\s*\{/.test(buffer.toString('utf8', 0, bytesRead));
}

async function kindOf(path: string): Promise<Pick<Source, 'list'> & { readonly kind: SourceInfo['kind'] }> {
  const info = await stat(path).catch(() => undefined);
  if (!info) throw new NarrowsError(`${path} does not exist; check the path after --data.`, { kind: 'usage' });
  if (info.isFile()) {
    if (extname(path).toLowerCase() !== '.json' || !(await holdsObject(path))) return { kind: 'pairs', list: path };
    return { kind: (await resultsKind(path)) ?? 'pairs', list: path };
  }
  if (!info.isDirectory()) throw new NarrowsError(`${path} is neither a file nor a folder.`, { kind: 'usage' });
  const names = new Set(await readdir(path));
  const list = await folderList(path);
  if (names.has('run.json')) return { kind: 'evaluation' };
  const results = names.has('results.json') ? await resultsKind(join(path, 'results.json')) : undefined;
  if (results) return { kind: results };
  return { kind: 'pairs', ...(list ? { list } : {}) };
}

/** What a results.json is of, by its keys. */
async function resultsKind(path: string): Promise<'comparison' | 'evaluation' | undefined> {
  await requireEnding(path);
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(65_536), 0, 65_536, 0);
  const head = buffer.toString('utf8', 0, bytesRead);
  if (!/"schemaVersion"\s*:/.test(head)) return undefined;
  return /"methods"\s*:/.test(head) && /"metrics"\s*:/.test(head) ? 'comparison' : 'evaluation';
}

/** A source of a path. @throws NarrowsError for one that is not there */
export async function openSource(given: string): Promise<Source> {
  const path = resolve(given);
  const id = createHash('sha256').update(path).digest('hex').slice(0, 16);
  const { kind, list } = await kindOf(path);
  return { info: { id, kind, name: basename(path) }, path, ...(list ? { list } : {}) };
}

/** The pairs of a source. @throws StudioError for another kind of source, NarrowsError as `readPairs` */
export async function pairsOf({ info, path, list }: Source): Promise<ListedPair[]> {
  if (info.kind !== 'pairs') throw new StudioError('usage', `${info.name} is no list of pairs.`);
  return [...(await listPairs(list ?? path, { ignore: () => {}, findings: true })).pairs];
}

/** Changes when the list does. */
export async function stampOf({ path, list }: Source): Promise<string> {
  const { size, mtimeMs } = await stat(list ?? path);
  return `${size} ${mtimeMs}`;
}

/** A source with its number of pairs, or what is wrong with it. */
export async function describeSource(source: Source): Promise<SourceInfo> {
  if (source.info.kind !== 'pairs') return source.info;
  try {
    return { ...source.info, count: (await pairsOf(source)).length };
  } catch (error) {
    return { ...source.info, problem: messageOf(error) };
  }
}

/** The folder in which a source's pictures must lie. */
export const rootOf = ({ path, list }: Source): string => (list === undefined || list !== path ? path : dirname(path));

/**
 * The real path of a picture of a list, links followed; a list may come from anybody, and the page shows what it names.
 * @param roots folders in which pictures may lie
 * @throws StudioError `input` for one that lies elsewhere or is not there
 */
export async function insideRoots(path: string, roots: readonly string[]): Promise<string> {
  const file = pictureFile(path);
  const real = await realpath(file).catch(() => {
    throw new StudioError('input', `The picture ${file} does not exist; check the list.`);
  });
  for (const root of roots) {
    const folder = await realpath(root).catch(() => undefined);
    if (folder !== undefined && (real === folder || real.startsWith(folder.endsWith(sep) ? folder : folder + sep)))
      return real + path.slice(file.length);
  }
  throw new StudioError(
    'input',
    `The picture ${file} lies outside of ${roots.join(' and ')}, so the studio does not show it; start it with --pictures FOLDER to allow that.`,
  );
}

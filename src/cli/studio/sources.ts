/** @file What the studio was started with (`--data`): lists and folders of pairs, comparisons, evaluations. The page knows them by id only. */
import { createHash } from 'node:crypto';
import { open, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve, sep } from 'node:path';
import { type ListedPair, readPairs } from '../../inputs/pairs/read-pairs.ts';
import { pictureFile } from '../../inputs/tables/picture-reference.ts';
import type { SourceInfo } from '../../studio/facts.ts';
import { StudioError } from '../../studio/protocol.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';

/** Names under which a folder of pictures brings its list. */
const LISTS = ['metadata.jsonl', 'metadata.csv', 'metadata.parquet', 'pairs.jsonl', 'pairs.csv', 'captions.jsonl', 'captions.csv'];
const PICTURE = /\.(png|jpe?g|webp|gif|avif|tiff?|bmp|pnm|pgm|ppm|dcm)$/i;

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
  if (names.has('run.json')) return { kind: 'evaluation' };
  const results = names.has('results.json') ? await resultsKind(join(path, 'results.json')) : undefined;
  if (results) return { kind: results };
  const list = LISTS.find(name => names.has(name));
  return { kind: 'pairs', ...(list ? { list: join(path, list) } : {}) };
}

/** What a results.json is of, by its keys. */
async function resultsKind(path: string): Promise<'comparison' | 'evaluation' | undefined> {
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

/** Pictures of a folder whose captions stand beside them, `cat.png` and `cat.txt`. */
async function textsBeside(folder: string): Promise<ListedPair[]> {
  const names = (await readdir(folder)).sort();
  const there = new Set(names);
  const pairs: ListedPair[] = [];
  for (const name of names) {
    const words = `${name.slice(0, -extname(name).length)}.txt`;
    if (!PICTURE.test(name) || !there.has(words)) continue;
    const text = (await readFile(join(folder, words), 'utf8')).trim();
    pairs.push({
      image: join(folder, name),
      path: join(folder, name),
      text,
      line: pairs.length + 1,
      where: join(folder, words),
      further: {},
    });
  }
  if (pairs.length === 0)
    throw new NarrowsError(
      `${folder} holds no list of pairs (${LISTS.join(', ')}) and no captions beside its pictures (cat.png with cat.txt); add one of them.`,
    );
  return pairs;
}

/** The pairs of a source. @throws StudioError for another kind of source, NarrowsError as `readPairs` */
export async function pairsOf({ info, path, list }: Source): Promise<ListedPair[]> {
  if (info.kind !== 'pairs') throw new StudioError('usage', `${info.name} is no list of pairs.`);
  return list === undefined ? textsBeside(path) : readPairs(list, { ignore: () => {} });
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

/** @file Files that a person chose in the page, by their paths: which of them is the list, where its pictures are. */

import { recordsOfText } from '../../../inputs/chat/json-chunks.ts';
import { FOLDER_LISTS, type ListedPair, PairReader, PICTURE_NAME } from '../../../inputs/pairs/pair-rows.ts';
import { decodeText } from '../../../inputs/text-decoder.ts';
import { NarrowsError } from '../../../system/errors.ts';
import type { ChosenFile } from '../../protocol.ts';

const LIST_NAME = /\.(csv|tsv|jsonl|ndjson|json|parquet)$/i;
const depth = (path: string): number => path.split('/').length;
const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);
const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** A path without `.` and `..`, with slashes whichever way they were written. */
function normal(path: string): string {
  const parts: string[] = [];
  for (const part of path.replaceAll('\\', '/').split('/'))
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  return parts.join('/');
}

/** Pairs of chosen files. */
export interface ChosenPairs {
  /** The list, or the folder. */
  readonly name: string;
  /** The path of a pair is what `find` takes. */
  readonly pairs: readonly ListedPair[];
  /** What was left out or assumed, in sentences. */
  readonly warnings: readonly string[];
  /** @throws NarrowsError for a picture that is not among the files */
  find(path: string): File;
}

/** The list among the files; undefined where there is none. @throws NarrowsError where several could be meant */
function listAmong(files: readonly ChosenFile[]): { readonly list: ChosenFile; readonly others: readonly string[] } | undefined {
  const lists = files.filter(({ path }) => LIST_NAME.test(path));
  const least = Math.min(...lists.map(({ path }) => depth(path)));
  const near = lists.filter(({ path }) => depth(path) === least);
  const rank = ({ path }: ChosenFile): number => {
    const at = FOLDER_LISTS.indexOf(baseOf(path).toLowerCase());
    return at < 0 ? FOLDER_LISTS.length : at;
  };
  const [first, second] = near.toSorted((a, b) => rank(a) - rank(b));
  if (!first) return undefined;
  if (second && rank(first) === rank(second))
    throw new NarrowsError(
      `Several of the chosen files could be the list of pairs (${near.map(({ path }) => path).join(', ')}); call the one that is meant pairs.csv or pairs.jsonl, or choose it alone with its pictures.`,
    );
  return { list: first, others: lists.filter(each => each !== first).map(({ path }) => path) };
}

/** Bad rows, in one sentence. */
function leftOut(rows: readonly string[]): string[] {
  if (rows.length === 0) return [];
  return [
    `${rows.length} ${rows.length === 1 ? 'row is' : 'rows are'} left out: ${rows.slice(0, 3).join(' ')}${rows.length > 3 ? ' …' : ''}`,
  ];
}

async function listed({ path, file }: ChosenFile, warnings: string[]): Promise<ListedPair[]> {
  if (/\.parquet$/i.test(path))
    throw new NarrowsError(
      `${path} is a parquet file, which this page does not read; write the list as CSV or JSON lines, or open it with narrows studio.`,
    );
  const bad: string[] = [];
  const folder = folderOf(path);
  const place = (image: string): string => normal(/^([a-z]:)?[/\\]/i.test(image) ? image : `${folder}${image}`);
  const reader = new PairReader(path, place, {
    findings: true,
    ignore: message => bad.push(message),
    onWarning: message => warnings.push(message),
  });
  const bytes = new Uint8Array(
    await file.arrayBuffer().catch(cause => {
      throw new NarrowsError(`${path} cannot be read (it may have changed since it was chosen); choose it again.`, { cause });
    }),
  );
  const text = decodeText(bytes, path);
  const whole = async function* (): AsyncGenerator<string> {
    if (text !== '') yield text;
  };
  const pairs = /\.[ct]sv$/i.test(path)
    ? reader.table(text)
    : /\.json$/i.test(path)
      ? await reader.records(recordsOfText(whole(), path))
      : reader.lines(text);
  warnings.push(...leftOut(bad));
  if (pairs.length === 0) throw new NarrowsError(`${path} lists no pairs${bad.length > 0 ? `: ${bad[0]}` : '.'}`);
  return pairs;
}

/** Pictures whose captions stand beside them: `cat.png` and `cat.txt`. */
async function besides(files: readonly ChosenFile[]): Promise<ListedPair[]> {
  const texts = new Map(files.filter(({ path }) => /\.txt$/i.test(path)).map(each => [each.path.slice(0, -4), each]));
  const pictures = files.filter(({ path }) => PICTURE_NAME.test(path));
  const pairs: ListedPair[] = [];
  for (const { path } of pictures.toSorted((a, b) => new Intl.Collator('en', { numeric: true }).compare(a.path, b.path))) {
    const words = texts.get(path.replace(PICTURE_NAME, ''));
    if (!words) continue;
    const text = decodeText(new Uint8Array(await words.file.arrayBuffer()), words.path).trim();
    pairs.push({ image: path, path: normal(path), text, line: pairs.length + 1, where: words.path, further: {} });
  }
  return pairs;
}

/** What is called the same in different folders is found by its path only. */
function finder(files: readonly ChosenFile[]) {
  const byPath = new Map(files.map(({ path, file }) => [normal(path), file]));
  const byName = new Map<string, File[]>();
  for (const [path, file] of byPath) byName.set(baseOf(path), [...(byName.get(baseOf(path)) ?? []), file]);
  const alike = (path: string): readonly File[] => byName.get(baseOf(path)) ?? [];
  return {
    /** Whether a picture is there, though not where the list says. */
    elsewhere: (path: string): boolean => !byPath.has(path) && alike(path).length === 1,
    find(path: string): File {
      const found = byPath.get(path);
      if (found) return found;
      const [first, second] = alike(path);
      if (first && !second) return first;
      throw new NarrowsError(
        second
          ? `${path} is not among the chosen files, and several of another folder are called ${baseOf(path)}; choose the folder that holds the list.`
          : `${path} is not among the chosen files; choose the folder that holds the list and its pictures.`,
      );
    },
  };
}

/**
 * Reads the pairs of files: by their list (`pairs.csv`, `metadata.jsonl`, … or the only one), else by the texts beside the pictures.
 * @throws NarrowsError for files without pairs, and as `PairReader`
 */
export async function chosenPairs(files: readonly ChosenFile[]): Promise<ChosenPairs> {
  const warnings: string[] = [];
  const found = listAmong(files);
  const pairs = found ? await listed(found.list, warnings) : await besides(files);
  if (pairs.length === 0)
    throw new NarrowsError(
      'The chosen files hold no list of pairs (a CSV or JSONL file with the columns image and text) and no captions beside the pictures (cat.png with cat.txt); choose them together with the pictures.',
    );
  if (found && found.others.length > 0) warnings.push(`The list is ${found.list.path}; left aside: ${found.others.join(', ')}.`);
  const { find, elsewhere } = finder(files);
  const count = pairs.filter(({ path }) => elsewhere(path)).length;
  if (count > 0)
    warnings.push(
      `${count} ${count === 1 ? 'picture was' : 'pictures were'} found by the name alone, since the list's paths are not among the chosen files.`,
    );
  const name = found?.list.path ?? (folderOf(pairs[0].image).split('/')[0] || 'the chosen files');
  return { name, pairs, warnings, find };
}

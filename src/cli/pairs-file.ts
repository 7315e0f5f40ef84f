/** @file Image–caption pairs from a CSV or JSONL file. */
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { parseJson } from '../checkpoints/config.ts';
import { parseCsv } from '../system/csv.ts';
import { NarrowsError } from '../system/errors.ts';
import { readError } from '../system/read-error.ts';

/** A pair as it stands in the file. */
export interface ListedPair {
  /** Path as written. */
  readonly image: string;
  /** Path to open: relative ones start at the file's directory. */
  readonly path: string;
  readonly text: string;
  /** Line in the file, from 1. */
  readonly line: number;
}

/** Column names that are understood, the first found wins. */
const IMAGE = ['image', 'image_path', 'file_name', 'filename', 'path'];
const TEXT = ['text', 'caption', 'sentence', 'title'];

const columnOf = (names: readonly string[], wanted: readonly string[]): string | undefined =>
  wanted.map(name => names.find(each => each.trim().toLowerCase() === name)).find(name => name !== undefined);

function columns(names: readonly string[], where: string): { image: string; text: string } {
  const image = columnOf(names, IMAGE);
  const text = columnOf(names, TEXT);
  if (image === undefined) throw new NarrowsError(`${where} has no column for the image; name it one of ${IMAGE.join(', ')}.`);
  if (text === undefined) throw new NarrowsError(`${where} has no column for the caption; name it one of ${TEXT.join(', ')}.`);
  return { image, text };
}

function fromCsv(content: string, file: string): { image: string; text: string; line: number }[] {
  const [header, ...records] = parseCsv(content, file);
  if (!header) throw new NarrowsError(`${file} is empty; its first line should name the columns image and text.`);
  const names = columns(header.fields, `The first line of ${file}`);
  const image = header.fields.indexOf(names.image);
  const text = header.fields.indexOf(names.text);
  return records.map(({ fields, line }) => {
    if (fields.length !== header.fields.length)
      throw new NarrowsError(
        `${file}, line ${line}: ${fields.length} fields where the first line has ${header.fields.length}; put quotes around a caption with commas.`,
      );
    return { image: fields[image], text: fields[text], line };
  });
}

function fromJsonl(content: string, file: string): { image: string; text: string; line: number }[] {
  return content.split('\n').flatMap((row, i) => {
    if (row.trim() === '') return [];
    const where = `${file}, line ${i + 1},`;
    const value = parseJson(row, where.slice(0, -1)) as Record<string, unknown> | null;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new NarrowsError(`${where} is no JSON object.`);
    const names = columns(Object.keys(value), where.slice(0, -1));
    const image = value[names.image];
    const text = value[names.text];
    if (typeof image !== 'string' || typeof text !== 'string')
      throw new NarrowsError(`${where} must give ${names.image} and ${names.text} as texts.`);
    return [{ image, text, line: i + 1 }];
  });
}

/**
 * Reads all pairs of a `.csv` or `.jsonl` file.
 * @throws NarrowsError for another kind of file, missing columns, a broken line, or no pairs at all
 */
export async function readPairs(file: string): Promise<ListedPair[]> {
  const parse = /\.csv$/i.test(file) ? fromCsv : /\.(jsonl|ndjson)$/i.test(file) ? fromJsonl : undefined;
  if (!parse) throw new NarrowsError(`${file} is neither .csv nor .jsonl; give a file of one of these kinds.`, { kind: 'usage' });
  const content = await readFile(file, 'utf8').catch(error => {
    throw readError(file, error);
  });
  const pairs = parse(content, file).map(pair => ({
    ...pair,
    path: isAbsolute(pair.image) ? pair.image : join(dirname(file), pair.image),
  }));
  if (pairs.length === 0) throw new NarrowsError(`${file} lists no pairs.`);
  return pairs;
}

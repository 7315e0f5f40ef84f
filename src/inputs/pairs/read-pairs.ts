/** @file The one reader of lists of image–caption pairs on the disk, for every command: CSV, JSON lines, a JSON list (pair-rows.ts), or parquet. */
import { basename, dirname, isAbsolute, join, resolve } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { jsonRecords } from '../chat/json-records.ts';
import { pictureReference } from '../tables/picture-reference.ts';
import { tableRows } from '../tables/read-table.ts';
import { ByteCell } from '../tables/table.ts';
import { readText } from '../text-file.ts';
import { type ListedPair, PairReader, type ReadPairsOptions } from './pair-rows.ts';

/** The cells of a parquet row as a list has them: pictures by their names in the file, or by their paths where only these are there. */
function parquetFields(values: Readonly<Record<string, unknown>>, file: string, row: number): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value instanceof ByteCell) {
      fields[name] = value.hasBytes ? pictureReference(basename(file), row, name) : value.path;
      if (value.hasBytes && value.path !== undefined) fields[`${name}.path`] = value.path;
    } else if (isPathRecord(value)) fields[name] = value.path;
    else if (!(Array.isArray(value) && value.some(one => one instanceof ByteCell))) fields[name] = value;
  }
  return fields;
}

/** A picture of `datasets` whose bytes no row has. */
const isPathRecord = (value: unknown): value is { readonly path: string } =>
  typeof value === 'object' && value !== null && Object.keys(value).join() === 'path' && typeof Object.values(value)[0] === 'string';

/**
 * Reads all pairs of a `.csv`, `.tsv`, `.jsonl`, `.json` (UTF-8, or UTF-16 with its mark) or `.parquet` file.
 * @throws NarrowsError for another kind of file, missing columns, a broken row, or no pairs at all
 */
export async function readPairs(file: string, options: ReadPairsOptions = {}): Promise<ListedPair[]> {
  const kind = /\.(csv|tsv|jsonl|ndjson|json|parquet)$/i.exec(file)?.[1].toLowerCase();
  if (!kind)
    throw new NarrowsError(`${file} is neither .csv nor .jsonl nor .json nor .parquet; give a file of one of these kinds.`, {
      kind: 'usage',
    });
  const place = (image: string): string => (isAbsolute(image) ? image : join(dirname(resolve(file)), image));
  const reader = new PairReader(file, place, options);
  let pairs: ListedPair[];
  if (kind === 'csv' || kind === 'tsv') pairs = reader.table(await readText(file));
  else if (kind === 'json') pairs = await reader.records(jsonRecords(file));
  else if (kind !== 'parquet') pairs = reader.lines(await readText(file));
  else {
    pairs = [];
    let row = 0;
    for await (const { values, where } of tableRows(file)) {
      row++;
      reader.attempt(() => pairs.push(reader.pair({ fields: parquetFields(values, file, row), line: row, where })));
    }
  }
  if (pairs.length === 0) throw new NarrowsError(`${file} lists no pairs.`);
  return pairs;
}

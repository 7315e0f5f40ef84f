/** @file The one reader of tables: parquet, TSV, CSV, JSON, JSON lines. */
import { stat } from '../../node/disk.ts';
import { readRange } from '../../node/files.ts';
import { latin1 } from '../../system/bytes.ts';
import { NarrowsError } from '../../system/errors.ts';
import { readError } from '../../system/read-error.ts';
import { jsonRecords } from '../chat/json-records.ts';
import { delimitedRows } from './delimited.ts';
import { parquetRows } from './parquet.ts';
import type { TableRow } from './table.ts';

/** Endings of files that `tableRows` reads. */
export const TABLE_ENDINGS = ['parquet', 'tsv', 'csv', 'jsonl', 'ndjson', 'json'] as const;

/** What a file is by its ending; undefined for one that is no table. */
export const tableKind = (path: string): (typeof TABLE_ENDINGS)[number] | undefined => {
  const ending = /\.(\w+)$/.exec(path)?.[1].toLowerCase();
  return TABLE_ENDINGS.find(one => one === ending);
};

/** A pointer of Git LFS has a few lines of text; this many bytes show it. */
const HEAD = 256;

/** Looks at a file before it is read. @throws NarrowsError for one that is missing, empty, a pointer of Git LFS, or a cut or foreign parquet */
async function checkFile(path: string): Promise<number> {
  const info = await stat(path).catch((error: unknown) => {
    throw readError(path, error);
  });
  if (!info.isFile()) throw new NarrowsError(`Cannot read ${path}: it is not a file; give a file.`);
  if (info.size === 0) throw new NarrowsError(`${path} is empty (0 bytes); fetch it again.`);
  const head = latin1(await readRange(path, 0, Math.min(HEAD, info.size)));
  if (head.startsWith('version https://git-lfs')) {
    const size = /^size (\d+)/m.exec(head)?.[1];
    throw new NarrowsError(
      `${path} is a pointer of Git LFS, not the file itself${size ? ` (${size} bytes)` : ''}; run "git lfs pull" in its repository or download it again.`,
    );
  }
  if (tableKind(path) !== 'parquet') return info.size;
  if (!head.startsWith('PAR1')) throw new NarrowsError(`${path} is no parquet file, whatever its name says; fetch it again.`);
  if (info.size < 12 || latin1(await readRange(path, info.size - 4, 4)) !== 'PAR1')
    throw new NarrowsError(`${path} is cut short: the end of a parquet file is missing after ${info.size} bytes; fetch it again.`);
  return info.size;
}

/** JSON records as rows; anything but an object is refused. */
async function* jsonRows(path: string): AsyncGenerator<TableRow> {
  for await (const { value, where } of jsonRecords(path)) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new NarrowsError(`${where}: no JSON object stands there.`);
    yield { values: value as Record<string, unknown>, where, file: path };
  }
}

/**
 * The rows of a table, by the file's ending. Memory stays that of a row group (parquet) or a record (JSON); TSV and CSV are read whole.
 * @throws NarrowsError in one sentence for a file that cannot be read, with the row where there is one
 */
export async function* tableRows(path: string, signal?: AbortSignal): AsyncGenerator<TableRow> {
  const kind = tableKind(path);
  if (!kind) throw new NarrowsError(`${path} is no table that Narrows reads; give a file of kind ${TABLE_ENDINGS.join(', ')}.`);
  const size = await checkFile(path);
  const rows =
    kind === 'parquet' ? parquetRows(path, size, signal) : kind === 'tsv' || kind === 'csv' ? delimitedRows(path, size) : jsonRows(path);
  for await (const row of rows) {
    signal?.throwIfAborted();
    yield row;
  }
}

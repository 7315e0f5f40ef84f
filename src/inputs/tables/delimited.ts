/** @file Rows of CSV and TSV files with a line of names, as VLMEvalKit writes its sets. */
import { parseTable } from '../../system/csv.ts';
import { NarrowsError } from '../../system/errors.ts';
import { readText } from '../text-file.ts';
import type { TableRow } from './table.ts';

/** A text in memory may have about half a billion characters. */
const LARGEST = 500_000_000;

/**
 * The rows of a file whose first line names the columns. Every cell is text; an empty one is null. A `.tsv` is parted by tabs.
 * @param size bytes of the file
 * @throws NarrowsError with the line for a broken quote, a row of another length, names that repeat, a file that is too large
 */
export async function* delimitedRows(path: string, size: number): AsyncGenerator<TableRow> {
  if (size > LARGEST)
    throw new NarrowsError(
      `${path} has ${Math.round(size / 1e6)} MB, and a text table is read whole, up to ${LARGEST / 1e6} MB; use the parquet files of the set.`,
    );
  const text = await readText(path);
  const [header, ...records] = parseTable(text, path, /\.tsv$/i.test(path) ? '\t' : undefined);
  if (!header) throw new NarrowsError(`${path} is empty; its first line should name the columns.`);
  const names = header.fields.map(name => name.trim());
  const twice = names.find((name, i) => name !== '' && names.indexOf(name) !== i);
  if (twice !== undefined) throw new NarrowsError(`${path}: two columns are called "${twice}"; give each a name of its own.`);
  for (const { fields, line } of records) {
    const where = `${path}, line ${line}`;
    if (fields.length !== names.length)
      throw new NarrowsError(
        `${where}: ${fields.length} fields where the first line has ${names.length}; the file may be cut short, or a quote is missing.`,
      );
    const entries = names.flatMap((name, i) => (name === '' ? [] : [[name, fields[i] === '' ? null : fields[i]] as const]));
    yield { values: Object.fromEntries(entries), where, file: path };
  }
}

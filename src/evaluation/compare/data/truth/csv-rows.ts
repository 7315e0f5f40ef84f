/** @file Rows of a CSV file of boxes, by the columns that a form needs. */

import { readText } from '../../../../inputs/text-file.ts';
import { parseTable } from '../../../../system/csv.ts';
import { NarrowsError } from '../../../../system/errors.ts';

/** A row: texts by column name in small letters. */
export interface BoxRow {
  readonly fields: Readonly<Record<string, string>>;
  readonly where: string;
}

/** Reads a file. @throws NarrowsError for a column that is missing, or a row of another length */
export async function boxRows(file: string, needed: readonly string[]): Promise<BoxRow[]> {
  const [header, ...rows] = parseTable(await readText(file), file);
  const columns = (header?.fields ?? []).map(name => name.trim().toLowerCase());
  const missing = needed.filter(name => !columns.includes(name));
  if (missing.length > 0)
    throw new NarrowsError(
      `${file} lacks the column${missing.length > 1 ? 's' : ''} ${missing.join(', ')}; its first line has ${columns.slice(0, 8).join(', ') || 'nothing'}.`,
    );
  return rows.map(({ fields, line }) => {
    const where = `${file}, line ${line}`;
    if (fields.length !== columns.length)
      throw new NarrowsError(`${where}: ${fields.length} fields where the first line has ${columns.length}.`);
    return { fields: Object.fromEntries(columns.map((name, i) => [name, fields[i].trim()])), where };
  });
}

/** Numbers of a row's columns; undefined where all are empty. @throws NarrowsError for one that is no number */
export function rowNumbers({ fields, where }: BoxRow, names: readonly string[]): number[] | undefined {
  if (names.every(name => fields[name] === '' || fields[name].toLowerCase() === 'nan')) return undefined;
  return names.map(name => {
    const value = fields[name] === '' ? Number.NaN : Number(fields[name]);
    if (!Number.isFinite(value)) throw new NarrowsError(`${where}: ${name} is no number.`);
    return value;
  });
}

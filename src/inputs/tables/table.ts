/** @file What rows of a table are, whatever file they come from. */
import { NarrowsError } from '../../system/errors.ts';
import { exactJson } from '../../system/exact-json.ts';

/** Bytes in a cell, such as a picture: read when they are needed, so that a table of any size fits into memory. */
export class ByteCell {
  constructor(
    /** Where they stand, for sentences: `test.parquet, row 3, column image`. */
    readonly source: string,
    /** The path that stands with the bytes, where the cell has one. */
    readonly path: string | undefined,
    /** Whether the cell holds bytes; else there is only the path. */
    readonly hasBytes: boolean,
    private readonly load: () => Promise<Uint8Array>,
  ) {}

  /** The bytes. @throws NarrowsError that names the cell */
  read(): Promise<Uint8Array> {
    return this.load();
  }
}

/** One row. */
export interface TableRow {
  /**
   * By column: text, numbers (whole ones beyond 2^53 as bigint), booleans, null, lists, records; bytes and pictures as `ByteCell`, also in lists.
   */
  readonly values: Readonly<Record<string, unknown>>;
  /** Where it stands, such as `test.parquet, row 3`. */
  readonly where: string;
  /** The file. Relative paths of pictures start in its folder. */
  readonly file: string;
}

/** What a value is, in words. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'an empty cell';
  if (value instanceof ByteCell) return 'bytes';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a record';
  return { string: 'text', number: 'a number', bigint: 'a whole number', boolean: 'true or false' }[typeof value as string] ?? typeof value;
}

function wrong(row: TableRow, column: string, expected: string, value: unknown): NarrowsError {
  const shown = typeof value === 'object' || value === undefined ? '' : ` (${exactJson(value).slice(0, 40)})`;
  const names = value === undefined ? `; its columns are ${Object.keys(row.values).slice(0, 12).join(', ')}` : '';
  return new NarrowsError(`${row.where}: column ${column} should hold ${expected}, but holds ${kindOf(value)}${shown}${names}.`);
}

/** The value of the first of these columns that the row has; undefined where it has none. */
export function cellOf(row: TableRow, ...columns: readonly string[]): unknown {
  return row.values[columns.find(column => row.values[column] !== undefined) ?? columns[0]];
}

/** A text. @param columns names it goes by; the first stands in the error @throws NarrowsError naming row, column, expected and found */
export function textOf(row: TableRow, ...columns: readonly string[]): string {
  const value = cellOf(row, ...columns);
  if (typeof value !== 'string') throw wrong(row, columns[0], 'text', value);
  return value;
}

/** A text that may be missing or empty (then undefined). @throws NarrowsError for anything but text */
export function optionalText(row: TableRow, ...columns: readonly string[]): string | undefined {
  const value = cellOf(row, ...columns);
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw wrong(row, columns.find(column => row.values[column] !== undefined) ?? columns[0], 'text', value);
  return value;
}

/** A text or number, as an id may be. @throws NarrowsError as `textOf` */
export function idOf(row: TableRow, ...columns: readonly string[]): string | number | bigint {
  const value = cellOf(row, ...columns);
  if ((typeof value === 'string' && value !== '') || typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw wrong(row, columns[0], 'an id (text or a number)', value);
}

/** A whole number. @throws NarrowsError as `textOf` */
export function integerOf(row: TableRow, ...columns: readonly string[]): number {
  const value = cellOf(row, ...columns);
  const number = typeof value === 'string' && /^-?\d+$/.test(value.trim()) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) throw wrong(row, columns[0], 'a whole number', value);
  return number;
}

/** A list of texts. @throws NarrowsError as `textOf` */
export function textsOf(row: TableRow, ...columns: readonly string[]): readonly string[] {
  const value = cellOf(row, ...columns);
  if (!Array.isArray(value) || value.some(one => typeof one !== 'string')) throw wrong(row, columns[0], 'a list of texts', value);
  return value;
}

/** The row's other columns, for a question's facts; bytes are left out, and what is empty. */
export function furtherOf(row: TableRow, used: readonly string[]): Record<string, unknown> {
  const bytes = (value: unknown): boolean => value instanceof ByteCell || (Array.isArray(value) && value.some(bytes));
  return Object.fromEntries(
    Object.entries(row.values).filter(([key, value]) => !used.includes(key) && value !== undefined && value !== null && !bytes(value)),
  );
}

/** @file Comma-separated values, RFC 4180: quotes, doubled quotes, commas and line breaks inside quotes; LF or CRLF. Semicolons, tabs and bars, too. */
import { NarrowsError } from './errors.ts';
import { visible } from './visible.ts';

/** A record and the line (from 1) on which it starts. */
export interface CsvRecord {
  readonly fields: readonly string[];
  readonly line: number;
}

/** What may part the fields. */
export type Delimiter = ',' | ';' | '\t' | '|';

/**
 * What parts the fields: what a first line `sep=;` says (spreadsheets write it), else the one of comma, semicolon, tab and bar that stands most
 * often in the first line, outside of quotes; a comma by default.
 */
export function delimiterOf(text: string): Delimiter {
  const bare = text.replace(/^\uFEFF+/, '').trimStart();
  const said = /^sep=([,;\t|])[\r\n]/i.exec(bare)?.[1];
  if (said) return said as Delimiter;
  const [first] = bare.replace(/"(?:[^"]|"")*"/g, '').split(/\r?\n|\r/, 1);
  const count = (delimiter: string): number => first.split(delimiter).length;
  return ([';', '\t', '|'] as const).reduce<Delimiter>((best, one) => (count(one) > count(best) ? one : best), ',');
}

/**
 * The records of a table as people have it, parted by what `delimiterOf` finds; a line `sep=;` before the names is none of them.
 * @param delimiter where the file's kind says it @throws NarrowsError as `parseCsv`
 */
export function parseTable(text: string, file: string, delimiter: Delimiter = delimiterOf(text)): CsvRecord[] {
  const records = parseCsv(text, file, delimiter);
  const [first] = records;
  const isSign = first?.fields.length === 2 && /^sep=$/i.test(first.fields[0]) && first.fields[1] === '';
  return isSign ? records.slice(1) : records;
}

/**
 * Parses a text; blank lines are ignored, a byte-order mark is dropped.
 * @param file named in errors
 * @throws NarrowsError with the line for a quote that is never closed or text after a closing quote
 */
export function parseCsv(text: string, file = 'the CSV', delimiter: Delimiter = ','): CsvRecord[] {
  const ends = (at: number): boolean => text[at] === delimiter || text[at] === '\r' || text[at] === '\n';
  const records: CsvRecord[] = [];
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const start = line;
    const fields: string[] = [];
    let quoted = false;
    for (;;) {
      let field = '';
      if (text[at] === '"') {
        quoted = true;
        const opened = line;
        for (at++; ; at++) {
          const end = text.indexOf('"', at);
          if (end < 0) throw new NarrowsError(`${file}, line ${opened}: a quote is opened and never closed.`);
          const piece = text.slice(at, end);
          line += piece.split('\n').length - 1;
          field += piece;
          at = end + 1;
          if (text[at] !== '"') break;
          field += '"';
        }
        if (at < text.length && !ends(at))
          throw new NarrowsError(`${file}, line ${line}: there is text after a closing quote; double the quotes inside of quoted text.`);
      } else {
        const from = at;
        while (at < text.length && !ends(at)) at++;
        field = text.slice(from, at);
      }
      fields.push(field);
      if (text[at] !== delimiter) break;
      at++;
    }
    if (text[at] === '\r') at++;
    if (text[at] === '\n') at++;
    line++;
    if (fields.length > 1 || quoted || fields[0] !== '') records.push({ fields, line: start });
  }
  return records;
}

/** What a spreadsheet would take for a formula. */
const isFormula = (text: string): boolean => /^[=+\-@\t\r]/.test(text);

/**
 * A cell. Quoted where it must be; a text that a spreadsheet would take for a formula gets an apostrophe before it, control characters are
 * written out; NaN is empty.
 */
export function csvCell(value: string | number | boolean | undefined): string {
  if (value === undefined || (typeof value === 'number' && !Number.isFinite(value))) return '';
  if (typeof value !== 'string') return String(value);
  const safe = visible(isFormula(value) ? `'${value}` : value);
  return /[",;\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Rows as CSV text with LF line ends. */
export const formatCsv = (rows: readonly (readonly (string | number | boolean | undefined)[])[]): string =>
  // A single empty field needs its quotes: without them the line is blank, and blank lines are no records.
  rows.map(row => `${row.length === 1 && csvCell(row[0]) === '' ? '""' : row.map(csvCell).join(',')}\n`).join('');

/** @file Comma-separated values, RFC 4180: quotes, doubled quotes, commas and line breaks inside quotes; LF or CRLF. */
import { NarrowsError } from '../system/errors.ts';

/** A record and the line (from 1) on which it starts. */
export interface CsvRecord {
  readonly fields: readonly string[];
  readonly line: number;
}

/**
 * Parses a text; blank lines are passed over, a byte-order mark is dropped.
 * @param file named in errors
 * @throws NarrowsError with the line for a quote that is never closed or text after a closing quote
 */
export function parseCsv(text: string, file = 'the CSV'): CsvRecord[] {
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
        if (at < text.length && !/[,\r\n]/.test(text[at]))
          throw new NarrowsError(`${file}, line ${line}: text stands after a closing quote; double the quotes inside of quoted text.`);
      } else {
        const from = at;
        while (at < text.length && !/[,\r\n]/.test(text[at])) at++;
        field = text.slice(from, at);
      }
      fields.push(field);
      if (text[at] !== ',') break;
      at++;
    }
    if (text[at] === '\r') at++;
    if (text[at] === '\n') at++;
    line++;
    if (fields.length > 1 || quoted || fields[0] !== '') records.push({ fields, line: start });
  }
  return records;
}

const quote = (field: string): string => (/[",\r\n]|^\s|\s$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);

/** Rows as CSV text with LF line ends. */
export const formatCsv = (rows: readonly (readonly string[])[]): string =>
  // A lone empty field needs its quotes: without them the line is blank, and blank lines are no records.
  rows.map(row => `${row.length === 1 && row[0] === '' ? '""' : row.map(quote).join(',')}\n`).join('');

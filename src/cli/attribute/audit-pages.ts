/**
 * @file The tables of an audit: `results.jsonl` and `summary.csv` for programs, `index.html` (and `index-2.html`, … where there are many
 * pairs) for people. Records are read one at a time: a hundred thousand of them, with their thumbnails, would fill the memory.
 */
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { writeFileAtomic } from '../../node/files.ts';
import { type IndexRow, indexHtml } from '../../report/attribution/html-index.ts';
import { formatCsv } from '../../system/csv.ts';
import { exactJson } from '../../system/exact-json.ts';
import type { AuditRecord, Failure } from './audit-record.ts';

/** Records in the order of the list. */
export interface AuditRecords {
  readonly count: number;
  /** Names of the list's further columns. */
  readonly further?: readonly string[];
  read(i: number): AuditRecord;
}

/** Rows of one page: what a browser sorts and searches at once. */
export const PAGE = 2000;

/** Fewest shared bits first, then the lowest cosine: the pairs that hardly belong together come on top. @returns places in the list */
export function sortRecords({ count, read }: AuditRecords): number[] {
  const bits = new Float64Array(count);
  const cosines = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const { imageBits, captionBits, cosine } = read(i);
    bits[i] = imageBits ?? captionBits ?? Number.POSITIVE_INFINITY;
    cosines[i] = cosine;
  }
  const both = (a: number, b: number): number => (bits[a] === bits[b] ? 0 : bits[a] - bits[b]) || cosines[a] - cosines[b];
  return Array.from({ length: count }, (_, i) => i).sort(both);
}

/** A further column's value as a cell. */
const cellOf = (value: unknown): string | number | boolean | undefined =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? value
    : value === undefined || value === null
      ? undefined
      : exactJson(value);

const rounded = (value: number | undefined): number | undefined => (value === undefined ? undefined : Number(value.toPrecision(7)));

function* encoded(pieces: Iterable<string>): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  for (const piece of pieces) yield encoder.encode(piece);
}

const failedRow = ({ listed, reason }: Failure): IndexRow => ({
  image: listed.image,
  caption: listed.text,
  cosine: Number.NaN,
  verdict: `failed: ${reason}`,
});

/** Name of a page, from 0. */
const pageName = (page: number): string => (page === 0 ? 'index.html' : `index-${page + 1}.html`);

/** Whether a file was there to be removed. */
const THERE = [() => true, () => false] as const;

/** Writes the tables. @returns the names of those that a person would open */
export async function writeAuditPages(
  directory: string,
  list: string,
  records: AuditRecords,
  failures: readonly Failure[],
  rowsOfPage = PAGE,
): Promise<string[]> {
  const order = sortRecords(records);
  // Columns follow the method's unit: scores have no bits.
  const hasBits = records.count === 0 || records.read(0).unit !== 'score';
  const further = records.further ?? [];
  function* jsonLines(): Generator<string> {
    for (let i = 0; i < records.count; i++) {
      const { href: _, thumbnail: __, further: more, ...record } = records.read(i);
      yield `${exactJson({ ...more, ...record })}\n`;
    }
    for (const { listed, reason } of failures)
      yield `${exactJson({ ...listed.further, image: listed.image, caption: listed.text, error: reason })}\n`;
  }
  function* csvLines(): Generator<string> {
    yield formatCsv([
      ['image', 'caption', 'cosine', ...(hasBits ? ['image_bits', 'caption_bits'] : []), 'verdict', 'report', 'warnings', ...further],
    ]);
    for (const i of order) {
      const r = records.read(i);
      yield formatCsv([
        [
          r.image,
          r.caption,
          rounded(r.cosine),
          ...(hasBits ? [rounded(r.imageBits), rounded(r.captionBits)] : []),
          r.verdict,
          r.href ?? '',
          (r.warnings ?? []).join(' | '),
          ...further.map(name => cellOf(r.further?.[name])),
        ],
      ]);
    }
    for (const { listed, reason } of failures)
      yield formatCsv([
        [
          ...[listed.image, listed.text, '', ...(hasBits ? ['', ''] : []), `failed: ${reason}`, '', ''],
          ...further.map(name => cellOf(listed.further[name])),
        ],
      ]);
  }
  await writeFileAtomic(join(directory, 'results.jsonl'), encoded(jsonLines()));
  await writeFileAtomic(join(directory, 'summary.csv'), encoded(csvLines()));
  const total = records.count + failures.length;
  const pages = Math.max(1, Math.ceil(total / rowsOfPage));
  const rowAt = (k: number): IndexRow => (k < order.length ? records.read(order[k]) : failedRow(failures[k - order.length]));
  for (let page = 0; page < pages; page++) {
    const [from, to] = [page * rowsOfPage, Math.min(total, (page + 1) * rowsOfPage)];
    const rows = Array.from({ length: to - from }, (_, k) => rowAt(from + k));
    const links = pages > 1 ? { page, names: Array.from({ length: pages }, (_, p) => pageName(p)), from, total } : undefined;
    await writeFileAtomic(join(directory, pageName(page)), indexHtml(rows, { title: `Audit of ${basename(list)}`, links }));
  }
  // Pages of a longer list that stood here before.
  for (let page = pages; await rm(join(directory, pageName(page))).then(...THERE); page++);
  return [pageName(0), 'summary.csv', 'results.jsonl'];
}

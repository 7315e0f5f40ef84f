/**
 * @file The tables of an audit: `results.jsonl` and `summary.csv` for programs, `index.html` (and `index-2.html`, … where there are many
 * pairs) for people. Records are read one at a time: a hundred thousand of them, with their thumbnails, would fill the memory.
 */
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Attribution } from '../../attribution/result.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { type CommonScale, commonScale } from '../../report/attribution/common-scale.ts';
import { indexHtml } from '../../report/attribution/html-index.ts';
import { FAILED, furtherText, type IndexRow } from '../../report/attribution/index-row.ts';
import type { DisplayUnit, Scale } from '../../report/attribution/normalise.ts';
import { dataUri } from '../../report/attribution/picture.ts';
import { pictureOf, sharpCodec } from '../../report/attribution/sharp-codec.ts';
import { paintSmall } from '../../report/attribution/thumbnail.ts';
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

/** What one reading of all records says. */
interface Survey {
  /** Places in the list, fewest shared bits first, then the lowest cosine: the pairs that hardly belong together come on top. */
  readonly order: readonly number[];
  readonly warned: number;
  /** Whether a pair has a share inside a box. */
  readonly boxes: boolean;
  readonly scale?: CommonScale;
}

function survey({ count, read }: AuditRecords, unit: DisplayUnit | undefined): Survey {
  const bits = new Float64Array(count);
  const cosines = new Float64Array(count);
  let [warned, boxes, raw]: [number, boolean, Attribution['unit']] = [0, false, 'nats'];
  function* maps(): Generator<readonly number[]> {
    for (let i = 0; i < count; i++) {
      const record = read(i);
      bits[i] = record.imageBits ?? record.captionBits ?? Number.POSITIVE_INFINITY;
      cosines[i] = record.cosine;
      if (record.warnings?.length) warned++;
      boxes ||= record.insideBox !== undefined;
      if (record.patches && record.view) yield record.patches;
    }
  }
  if (count > 0) raw = read(0).unit ?? raw;
  const scale = commonScale(maps(), raw, raw === 'score' ? undefined : unit);
  const both = (a: number, b: number): number => (bits[a] === bits[b] ? 0 : bits[a] - bits[b]) || cosines[a] - cosines[b];
  return { order: Array.from({ length: count }, (_, i) => i).sort(both), warned, boxes, scale };
}

/** A record's row with its map on its thumbnail, by the audit's scale. */
async function drawnRow(record: AuditRecord, scale: Scale | undefined): Promise<IndexRow> {
  const { thumbnail, grid, patches, view } = record;
  if (!scale || !thumbnail || !grid || !patches || !view) return record;
  const map = { grid, patches: Float32Array.from(patches), view };
  const drawn = paintSmall(await pictureOf(thumbnail), map, record, scale);
  return { ...record, thumbnail: await dataUri(sharpCodec, drawn, 'small') };
}

/** Thumbnails that are drawn at a time. */
const TOGETHER = 8;

const rounded = (value: number | undefined): number | undefined => (value === undefined ? undefined : Number(value.toPrecision(7)));

function* encoded(pieces: Iterable<string>): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  for (const piece of pieces) yield encoder.encode(piece);
}

const failedRow = ({ listed, reason }: Failure): IndexRow => ({
  image: listed.image,
  caption: listed.text,
  cosine: Number.NaN,
  verdict: `${FAILED}${reason}`,
  further: listed.further,
});

/** Name of a page, from 0. */
const pageName = (page: number): string => (page === 0 ? 'index.html' : `index-${page + 1}.html`);

/** Whether a file was there to be removed. */
const THERE = [() => true, () => false] as const;

/** How the tables are written. */
export interface PageOptions {
  readonly rowsOfPage?: number;
  /** Unit of the scale that is shown. */
  readonly unit?: DisplayUnit;
  /** While the thumbnails are drawn. */
  readonly onDraw?: (done: number, total: number) => void;
}

/** Writes the tables. @returns the names of those that a person would open */
export async function writeAuditPages(
  directory: string,
  list: string,
  records: AuditRecords,
  failures: readonly Failure[],
  options: PageOptions = {},
): Promise<string[]> {
  const { rowsOfPage = PAGE, unit, onDraw } = options;
  const { order, warned, boxes, scale } = survey(records, unit);
  // Columns follow the method's unit: scores have no bits.
  const hasBits = records.count === 0 || records.read(0).unit !== 'score';
  const further = records.further ?? [];
  function* jsonLines(): Generator<string> {
    for (let i = 0; i < records.count; i++) {
      const { href: _, thumbnail: __, width: ___, height: ____, view: _____, further: more, ...record } = records.read(i);
      yield `${exactJson({ ...more, ...record })}\n`;
    }
    for (const { listed, reason } of failures)
      yield `${exactJson({ ...listed.further, image: listed.image, caption: listed.text, error: reason })}\n`;
  }
  function* csvLines(): Generator<string> {
    yield formatCsv([
      [
        'image',
        'caption',
        'cosine',
        ...(hasBits ? ['image_bits', 'caption_bits'] : []),
        ...(boxes ? ['inside_box'] : []),
        'verdict',
        'report',
        'warnings',
        ...further,
      ],
    ]);
    for (const i of order) {
      const r = records.read(i);
      yield formatCsv([
        [
          r.image,
          r.caption,
          rounded(r.cosine),
          ...(hasBits ? [rounded(r.imageBits), rounded(r.captionBits)] : []),
          ...(boxes ? [rounded(r.insideBox)] : []),
          r.verdict,
          r.href ?? '',
          (r.warnings ?? []).join(' | '),
          ...further.map(name => furtherText(r.further?.[name])),
        ],
      ]);
    }
    for (const { listed, reason } of failures)
      yield formatCsv([
        [
          ...[listed.image, listed.text, '', ...(hasBits ? ['', ''] : []), ...(boxes ? [''] : []), `${FAILED}${reason}`, '', ''],
          ...further.map(name => furtherText(listed.further[name])),
        ],
      ]);
  }
  await writeFileAtomic(join(directory, 'results.jsonl'), encoded(jsonLines()));
  await writeFileAtomic(join(directory, 'summary.csv'), encoded(csvLines()));
  const total = records.count + failures.length;
  const pages = Math.max(1, Math.ceil(total / rowsOfPage));
  const counts = { total, failed: failures.length, warned };
  const rowAt = async (k: number): Promise<IndexRow> =>
    k < order.length ? drawnRow(records.read(order[k]), scale?.scale) : failedRow(failures[k - order.length]);
  for (let page = 0; page < pages; page++) {
    const [from, to] = [page * rowsOfPage, Math.min(total, (page + 1) * rowsOfPage)];
    const rows: IndexRow[] = [];
    for (let k = from; k < to; k += TOGETHER) {
      rows.push(...(await Promise.all(Array.from({ length: Math.min(TOGETHER, to - k) }, (_, j) => rowAt(k + j)))));
      onDraw?.(from + rows.length, total);
    }
    const links = pages > 1 ? { page, names: Array.from({ length: pages }, (_, p) => pageName(p)), from, total } : undefined;
    const html = indexHtml(rows, { title: `Audit of ${basename(list)}`, links, counts, scale, further });
    await writeFileAtomic(join(directory, pageName(page)), html);
  }
  // Pages of a longer list that stood here before.
  for (let page = pages; await rm(join(directory, pageName(page))).then(...THERE); page++);
  return [pageName(0), 'summary.csv', 'results.jsonl'];
}

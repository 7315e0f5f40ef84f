/** @file The tables of an audit: `results.jsonl` and `summary.csv` for programs, `index.html` for people. */
import { basename, join } from 'node:path';
import { writeFileAtomic } from '../../node/files.ts';
import { indexHtml } from '../../report/attribution/html-index.ts';
import { formatCsv } from '../csv.ts';
import type { AuditRecord, Failure } from './audit-record.ts';

/** Fewest shared bits first, then the lowest cosine: the pairs that hardly belong together come on top. */
export function sortRecords(records: readonly AuditRecord[]): AuditRecord[] {
  const bits = (record: AuditRecord): number => record.imageBits ?? record.captionBits ?? Number.POSITIVE_INFINITY;
  return [...records].sort((a, b) => bits(a) - bits(b) || a.cosine - b.cosine);
}

const text = (value: number | undefined): string => (value === undefined ? '' : String(Number(value.toPrecision(7))));

/** Writes the three files; records come in the order of the list. */
export async function writeAuditPages(
  directory: string,
  list: string,
  records: readonly AuditRecord[],
  failures: readonly Failure[],
): Promise<void> {
  const lines = records.map(({ href: _, thumbnail: __, ...record }) => `${JSON.stringify(record)}\n`);
  const failed = failures.map(({ listed, reason }) => `${JSON.stringify({ image: listed.image, caption: listed.text, error: reason })}\n`);
  await writeFileAtomic(join(directory, 'results.jsonl'), [...lines, ...failed].join(''));
  const sorted = sortRecords(records);
  const header = ['image', 'caption', 'cosine', 'image_bits', 'caption_bits', 'verdict', 'report'];
  const rows = sorted.map(r => [r.image, r.caption, text(r.cosine), text(r.imageBits), text(r.captionBits), r.verdict, r.href ?? '']);
  const bad = failures.map(({ listed, reason }) => [listed.image, listed.text, '', '', '', `failed: ${reason}`, '']);
  await writeFileAtomic(join(directory, 'summary.csv'), formatCsv([header, ...rows, ...bad]));
  const unable = failures.map(({ listed, reason }) => ({
    image: listed.image,
    caption: listed.text,
    cosine: Number.NaN,
    verdict: `failed: ${reason}`,
  }));
  await writeFileAtomic(join(directory, 'index.html'), indexHtml([...sorted, ...unable], { title: `Audit of ${basename(list)}` }));
}

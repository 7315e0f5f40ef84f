/** @file The rows of an audit, for any backend: keys of pairs, what the audit and a person said of each, sorted and filtered for the page. */
import type { ListedPair } from '../../inputs/pairs/pair-rows.ts';
import { FAILED, furtherText, type IndexRow } from '../../report/attribution/index-row.ts';
import { sha256Hex } from '../../system/sha256.ts';
import type { AuditRow, RowsPage } from '../facts.ts';
import type { RowsQuery, Verdict } from '../requests.ts';

/** What is held of a pair that is done. */
export type DonePair = Pick<IndexRow, 'cosine' | 'imageBits' | 'captionBits' | 'verdict' | 'warnings' | 'insideBox'>;

/** A verdict that holds. */
export interface Held {
  readonly verdict?: Verdict;
  readonly note?: string;
}

/** A pair with its key. */
export interface KeyedPair {
  readonly key: string;
  readonly pair: ListedPair;
  /** The picture's path as it is shown. */
  readonly image: string;
}

/** Name of a pair in a list. */
export const pairName = (image: string, caption: string): string => JSON.stringify([image, caption]);

/**
 * Keys do not change when lines are added: they name the picture, the caption, and which of several alike it is.
 * @param shown the picture's path as the page shows it
 */
export function keyed(pairs: readonly ListedPair[], shown: (pair: ListedPair) => string): KeyedPair[] {
  const seen = new Map<string, number>();
  return pairs.map(pair => {
    const name = pairName(pair.image, pair.text);
    const times = seen.get(name) ?? 0;
    seen.set(name, times + 1);
    const key = sha256Hex(`${name}${times}`).slice(0, 16);
    return { key, pair, image: shown(pair) };
  });
}

const NOT_CONVERGED = /^not/;

const compare = (a: unknown, b: unknown): number => {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
};

/** What a row is sorted by; undefined comes last, whichever way. */
const SORTED: Readonly<Record<RowsQuery['sort'], (row: AuditRow) => number | string | undefined>> = {
  line: row => row.line,
  caption: row => row.caption.toLowerCase(),
  cosine: row => row.cosine,
  // As the table shows them: of both sides together.
  bits: ({ imageBits: image, textBits: text }) => (image === undefined && text === undefined ? undefined : (image ?? 0) + (text ?? 0)),
  insideBox: row => row.insideBox,
  verdict: row => row.verdict,
  state: row => row.state,
};

/** Rows in the order and of the kind that was asked for. */
export function pageOf(rows: readonly AuditRow[], { from, count, sort, descending, filter }: RowsQuery): RowsPage {
  const text = filter.text?.toLowerCase();
  const found = rows.filter(
    row =>
      (filter.state === undefined || row.state === filter.state) &&
      (filter.verdict === undefined || (row.verdict ?? 'none') === filter.verdict) &&
      (text === undefined || [row.caption, row.image, ...Object.values(row.further)].some(value => value.toLowerCase().includes(text))),
  );
  const value = SORTED[sort];
  const sorted = found
    .map(row => ({ row, value: value(row) }))
    .sort((a, b) => {
      if (a.value === undefined || b.value === undefined)
        return Number(a.value === undefined) - Number(b.value === undefined) || a.row.line - b.row.line;
      return (descending ? -1 : 1) * compare(a.value, b.value) || a.row.line - b.row.line;
    });
  return { total: found.length, all: rows.length, from, rows: sorted.slice(from, from + count).map(each => each.row) };
}

/** The row of a pair. @param record what the audit has of it @param failure why it has nothing @param held what a person said */
export function auditRow({ key, pair, image }: KeyedPair, record: DonePair | undefined, failure: string | undefined, held: Held): AuditRow {
  const further = Object.fromEntries(Object.entries(pair.further).map(([name, value]) => [name, furtherText(value)]));
  const plain = { key, line: pair.line, image, caption: pair.text, further, ...held };
  if (!record) return failure === undefined ? { ...plain, state: 'open' } : { ...plain, state: 'failed', failure };
  const { cosine, imageBits, captionBits, verdict, warnings, insideBox: share } = record;
  return {
    ...plain,
    state: 'done',
    ...(Number.isFinite(cosine) ? { cosine } : {}),
    ...(imageBits === undefined ? {} : { imageBits }),
    ...(captionBits === undefined ? {} : { textBits: captionBits }),
    ...(verdict.startsWith(FAILED) ? {} : { convergence: NOT_CONVERGED.test(verdict) ? 'not converged' : verdict }),
    ...(share === undefined ? {} : { insideBox: share }),
    ...(warnings?.length ? { warnings } : {}),
  };
}

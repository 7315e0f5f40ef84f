/** @file The rows of a list: its pairs, what the audit has of them, and what a person said; sorted and filtered for the page. */
import { createHash } from 'node:crypto';
import { join, relative } from 'node:path';
import type { ListedPair } from '../../inputs/pairs/read-pairs.ts';
import { FAILED, furtherText } from '../../report/attribution/html-index.ts';
import type { AuditRow, RowsPage } from '../../studio/facts.ts';
import { StudioError } from '../../studio/protocol.ts';
import type { RowsQuery } from '../../studio/requests.ts';
import { insideBox } from '../attribute/audit-box.ts';
import { type AuditRecord, placedMap } from '../attribute/audit-record.ts';
import { AuditCells, type LightRecord, pairName } from './audit-cells.ts';
import { type AuditState, auditName, auditsFolder, verdictsPath } from './audit-folder.ts';
import { pairsOf, rootOf, type Source, stampOf } from './sources.ts';
import { type Held, Verdicts } from './verdicts.ts';

/** A pair with its key. */
export interface KeyedPair {
  readonly key: string;
  readonly pair: ListedPair;
  /** The picture's path as it is shown. */
  readonly image: string;
}

/** Keys do not change when lines are added: they name the picture, the caption, and which of several alike it is. */
function keyed(pairs: readonly ListedPair[], root: string): KeyedPair[] {
  const seen = new Map<string, number>();
  return pairs.map(pair => {
    const name = pairName(pair.image, pair.text);
    const times = seen.get(name) ?? 0;
    seen.set(name, times + 1);
    const key = createHash('sha256').update(`${name}${times}`).digest('hex').slice(0, 16);
    return { key, pair, image: pair.image === pair.path ? relative(root, pair.path) || pair.image : pair.image };
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
  bits: row => row.imageBits ?? row.textBits,
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

/** A list with its audit and its verdicts. */
export class AuditTable {
  readonly verdicts: Verdicts;
  private read: { readonly stamp: string; readonly pairs: Promise<readonly KeyedPair[]> } | undefined;
  private state: AuditState | undefined;
  private cells: AuditCells | undefined;

  constructor(readonly source: Source) {
    this.verdicts = new Verdicts(verdictsPath(source));
  }

  /** The audit that is shown. */
  get audit(): AuditState | undefined {
    return this.state;
  }

  /** Name of the audit that is shown; verdicts on no map stand under an empty one. */
  get auditName(): string {
    return this.state ? auditName(this.state.request) : '';
  }

  /** Shows an audit. */
  show(state: AuditState | undefined): void {
    const before = this.auditName;
    this.state = state;
    if (this.auditName !== before) this.cells = undefined;
  }

  /** The records of the audit that is shown, as they are now. */
  private async fresh(list: readonly KeyedPair[]): Promise<AuditCells | undefined> {
    if (!this.state) return undefined;
    if (!this.cells) {
      const listed = new Map(list.map(({ pair }) => [pairName(pair.image, pair.text), pair]));
      this.cells = new AuditCells(join(auditsFolder(this.source), this.auditName, 'cells.jsonl'), record => {
        const pair = listed.get(pairName(record.image, record.caption));
        return pair ? insideBox(pair, () => placedMap(record)) : {};
      });
    }
    await this.cells.refresh();
    return this.cells;
  }

  /** The list's pairs; read again when its file has changed. @throws NarrowsError for a list that cannot be read */
  async list(): Promise<readonly KeyedPair[]> {
    const stamp = await stampOf(this.source).catch(() => '');
    if (this.read?.stamp !== stamp) {
      this.read = { stamp, pairs: pairsOf(this.source).then(pairs => keyed(pairs, rootOf(this.source))) };
      // Boxes are the list's.
      this.cells = undefined;
    }
    const { pairs } = this.read;
    pairs.catch(() => {
      this.read = undefined;
    });
    return pairs;
  }

  /** All rows, in the order of the list. */
  async rows(): Promise<AuditRow[]> {
    const list = await this.list();
    const [held, cells] = await Promise.all([this.verdicts.of(this.auditName), this.fresh(list)]);
    const failures = new Map(this.state?.failures.map(({ image, text, reason }) => [pairName(image, text), reason]));
    return list.map(each => rowOf(each, recordOf(cells, each), failures.get(pairName(each.pair.image, each.pair.text)), held(each.key)));
  }

  /** A row with all that the audit has of it. @throws StudioError `missing` */
  async one(key: string): Promise<{ readonly keyed: KeyedPair; readonly row: AuditRow; readonly record?: AuditRecord }> {
    const list = await this.list();
    const found = list.find(each => each.key === key);
    if (!found) throw new StudioError('missing', 'The list has no such row (any more); reload it.');
    const [held, cells] = await Promise.all([this.verdicts.of(this.auditName), this.fresh(list)]);
    const light = recordOf(cells, found);
    const failure = this.state?.failures.find(({ image, text }) => image === found.pair.image && text === found.pair.text)?.reason;
    const record = light && (await cells!.whole(light));
    return { keyed: found, row: rowOf(found, light, failure, held(key)), ...(record ? { record } : {}) };
  }
}

/** What an audit has of a pair, without its thumbnail and its map. */
const recordOf = (cells: AuditCells | undefined, { pair }: KeyedPair): LightRecord | undefined =>
  cells?.records.get(pairName(pair.image, pair.text));

function rowOf({ key, pair, image }: KeyedPair, record: LightRecord | undefined, failure: string | undefined, held: Held): AuditRow {
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

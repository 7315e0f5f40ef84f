/** @file Rows of the audited list as far as they were looked at: fetched in stretches, forgotten when the order or the filter changes. */
import { signal } from '@preact/signals';
import type { AuditDetail, AuditRow } from '../../facts.ts';
import type { RowsInput, Verdict } from '../../requests.ts';
import { announce } from '../state/announce.ts';
import { need, sentenceOf } from '../state/studio.ts';

/** Rows of a stretch. */
const STRETCH = 200;

/** What the list is sorted and filtered by. */
export type Query = Required<Pick<RowsInput, 'sort' | 'descending' | 'filter'>>;

/** The source whose rows are shown. */
export const source = signal<string | undefined>(undefined);
/** Order and filter. */
export const query = signal<Query>({ sort: 'line', descending: false, filter: {} });
/** Rows that the filter leaves, and in all. */
export const counts = signal<{ readonly total: number; readonly all: number } | undefined>(undefined);
/** Rows that have come, by place in the list. */
export const rows = signal<ReadonlyMap<number, AuditRow>>(new Map());
/** The row that the keys are on. */
export const selected = signal(0);
/** That row opened. */
export const detail = signal<AuditDetail | undefined>(undefined);
/** Why rows could not be read. */
export const rowsTrouble = signal<string | undefined>(undefined);

let asked = new Set<number>();
let edition = 0;

/** Forgets what was fetched and reads again from where the person is. */
export function refresh(keep = false): void {
  edition++;
  asked = new Set();
  if (!keep) {
    rows.value = new Map();
    counts.value = undefined;
    selected.value = 0;
    detail.value = undefined;
  }
  void fetchRows(selected.peek(), selected.peek() + 1);
}

/** Fetches the stretches that cover rows from … to, those that were not asked for yet. */
export async function fetchRows(from: number, to: number): Promise<void> {
  const mine = edition;
  for (let stretch = Math.floor(from / STRETCH); stretch <= Math.floor(Math.max(from, to - 1) / STRETCH); stretch++) {
    if (asked.has(stretch) || source.peek() === undefined) continue;
    asked.add(stretch);
    try {
      const page = await need().rows({ source: source.peek() as string, from: stretch * STRETCH, count: STRETCH, ...query.peek() });
      if (mine !== edition) return;
      const next = new Map(rows.peek());
      page.rows.forEach((row, i) => {
        next.set(page.from + i, row);
      });
      rows.value = next;
      counts.value = { total: page.total, all: page.all };
      rowsTrouble.value = undefined;
      // What is open beside the table may have been attributed meanwhile.
      const open = detail.peek();
      const now = rows.peek().get(selected.peek());
      if (open && now && open.row.key === now.key && open.row.state !== now.state) void choose(selected.peek());
    } catch (error) {
      if (mine !== edition) return;
      asked.delete(stretch);
      rowsTrouble.value = sentenceOf(error);
      return;
    }
  }
}

/** Sorts by a column; the same one again turns the order round. */
export function sortBy(sort: Query['sort']): void {
  const now = query.peek();
  query.value = { ...now, sort, descending: now.sort === sort ? !now.descending : sort !== 'line' && sort !== 'caption' };
  refresh();
  announce(`Sorted by ${sort}, ${query.peek().descending ? 'falling' : 'rising'}.`);
}

/** Filters. */
export function filterBy(change: Partial<Query['filter']>): void {
  const now = query.peek();
  const filter = Object.fromEntries(
    Object.entries({ ...now.filter, ...change }).filter(([, value]) => value !== undefined && value !== ''),
  );
  query.value = { ...now, filter };
  refresh();
}

/** Opens a row beside the table. */
export async function choose(index: number): Promise<void> {
  selected.value = index;
  const row = rows.peek().get(index);
  if (!row || source.peek() === undefined) return;
  try {
    const opened = await need().row(source.peek() as string, row.key);
    if (selected.peek() === index) detail.value = opened;
  } catch (error) {
    rowsTrouble.value = sentenceOf(error);
  }
}

/** Keeps a verdict on the selected row. It is shown only once it is on the disk. */
export async function judge(verdict: Verdict | null): Promise<void> {
  const index = selected.peek();
  const row = rows.peek().get(index);
  if (!row || source.peek() === undefined) return;
  try {
    await need().verdict({ source: source.peek() as string, row: row.key, verdict, note: row.note });
    const next = { ...row, verdict: verdict ?? undefined };
    rows.value = new Map(rows.peek()).set(index, next);
    const open = detail.peek();
    if (open?.row.key === row.key) detail.value = { ...open, row: next };
    announce(verdict ? `Line ${row.line}: ${verdict}.` : `Line ${row.line}: no verdict.`);
  } catch (error) {
    rowsTrouble.value = sentenceOf(error);
  }
}

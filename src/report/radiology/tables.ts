/** @file An audit's numbers as tables, for the page and for Markdown. */
import type { AuditFigure, AuditSummary } from '../../evaluation/radiology/summary.ts';

/** A table: columns by measures. */
export interface AuditTable {
  readonly title: string;
  readonly note: string;
  readonly columns: readonly (readonly [measure: string, heading: string])[];
  /** How numbers are written. */
  readonly kind: 'percent' | 'number';
}

/** The tables, in their order. */
export const TABLES: readonly AuditTable[] = [
  {
    title: 'Where the maps lie',
    note: 'Share of a map inside the boxes. “area” is what a map that says nothing puts there, “centre” one that points at the centre, “random weights” the same method on a model whose image blocks were drawn again.',
    kind: 'percent',
    columns: [
      ['inside', 'map'],
      ['area', 'area'],
      ['inside-centre', 'centre'],
      ['inside-randomised', 'random weights'],
      ['pointing', 'pointing game'],
      ['iou', 'IoU above 0.5'],
      ['iou-area', 'IoU of the boxes’ area'],
    ],
  },
  {
    title: 'What the words change',
    note: 'Share inside the boxes of the map of other sentences about the same picture.',
    kind: 'percent',
    columns: [
      ['inside', 'the phrase'],
      ['inside-ensemble', 'four wordings'],
      ['inside-mirrored', 'other side'],
      ['inside-denied', 'denied'],
      ['inside-shuffled', 'another’s phrase'],
    ],
  },
  {
    title: 'How alike the maps are',
    note: 'Spearman’s rank correlation with the map of the phrase; 1: the words changed nothing.',
    kind: 'number',
    columns: [
      ['like-ensemble', 'four wordings'],
      ['like-mirrored', 'other side'],
      ['like-denied', 'denied'],
      ['like-shuffled', 'another’s phrase'],
      ['like-randomised', 'random weights'],
    ],
  },
  {
    title: 'What the model prefers',
    note: 'How often the cosine of the phrase is above that of the other sentence; 50 % is chance.',
    kind: 'percent',
    columns: [
      ['said-rather-than-mirrored', 'than the other side'],
      ['said-rather-than-denied', 'than its denial'],
      ['said-rather-than-shuffled', 'than another’s phrase'],
    ],
  },
];

/** A figure with its interval. */
export function cell(figure: AuditFigure | undefined, kind: AuditTable['kind']): string {
  if (!figure) return '—';
  const write = (v: number): string => (kind === 'percent' ? (100 * v).toFixed(0) : v.toFixed(2));
  // One picture has no interval.
  return Number.isFinite(figure.low) ? `${write(figure.mean)} [${write(figure.low)}, ${write(figure.high)}]` : write(figure.mean);
}

/** Rows of a table: label, number of findings, cells. */
export const rowsOf = (table: AuditTable, summaries: readonly AuditSummary[]): string[][] =>
  summaries.map(({ label, findings, figures }) => [
    label,
    String(findings),
    ...table.columns.map(([name]) => cell(figures[name], table.kind)),
  ]);

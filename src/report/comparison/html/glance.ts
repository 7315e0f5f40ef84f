/** @file The first table of a part: for each metric who is best, who does not differ clearly from it, and where reference and controls stand. */

import type { ResultMethod } from '../../../evaluation/compare/results.ts';
import { escapeText } from '../../attribution/svg.ts';
import type { Analysis, MethodRow, MetricTable, PartAnalysis } from '../analyse.ts';
import { byCategory, likeBest } from '../by-category.ts';
import { arrow, intervalText, numberText, tableDigits } from '../format.ts';

/** Names listed before the rest is counted. */
const LISTED = 4;

/** The table. */
export function glanceHtml(analysis: Analysis, part: PartAnalysis): string {
  const methods = new Map(analysis.results.methods.map(m => [m.name, m]));
  const rows = byCategory(analysis, part).flatMap(({ categories, metrics }) => [
    `<tr class="group"><th colspan="5" scope="rowgroup">${categories[0]}</th></tr>`,
    ...metrics.map(table => glanceRow(table, methods, analysis.results.reference)),
  ]);
  const reference = escapeText(methods.get(analysis.results.reference)!.title);
  return (
    `<div class="wide" tabindex="0" role="region" aria-label="At a glance"><table class="glance"><thead><tr><th scope="col">metric</th><th scope="col">best</th><th scope="col">no clear difference from it</th>` +
    `<th scope="col">${reference} (reference)</th><th scope="col">best control</th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`
  );
}

function glanceRow(table: MetricTable, methods: ReadonlyMap<string, ResultMethod>, reference: string): string {
  const { metric, rows, best } = table;
  const digits = tableDigits(table);
  const title = (row: MethodRow): string => escapeText(methods.get(row.method)!.title);
  const ranked = rows.filter(row => row.rank !== undefined).length;
  const value = (row: MethodRow): string => numberText(row.value.estimate, digits);
  const head = `<th scope="row" title="${escapeText(metric.reading)}">${escapeText(metric.title)} <span class="dir">${arrow(metric.direction)}</span></th>`;
  const held = rows.find(row => row.method === reference);
  const standing = (row: MethodRow | undefined): string => {
    if (!row) return '<span class="note">not judged</span>';
    if (!Number.isFinite(row.value.estimate)) return `<span class="nan">${row.nanCount} NaN</span>`;
    return row.rank === undefined ? value(row) : `${value(row)} <span class="note">rank ${row.rank} of ${ranked}</span>`;
  };
  if (best === undefined) {
    const why = metric.direction === 'none' ? 'no end of the scale is better' : 'no method has a value';
    return `<tr>${head}<td colspan="2"><span class="note">${why}</span></td><td>${standing(held)}</td><td></td></tr>`;
  }
  const winners = rows.filter(row => row.best);
  const first = winners[0];
  const alike = rows.filter(likeBest).sort((a, b) => a.rank! - b.rank!);
  const controls = rows
    .filter(row => methods.get(row.method)!.family === 'control' && row.rank !== undefined)
    .sort((a, b) => a.rank! - b.rank!);
  const control = controls[0];
  // That a control is cheap says nothing against it.
  const warned =
    control &&
    metric.category !== 'cost' &&
    (control.best ? 'a control is best' : likeBest(control) && 'no clear difference from the best');
  const warning = warned
    ? ` <span class="nan" title="On these pairs the metric does not tell the best method from a control that explains nothing.">${warned}</span>`
    : '';
  const names = alike.slice(0, LISTED).map(title).join(', ');
  const more =
    alike.length > LISTED
      ? ` <span class="note" title="${alike.slice(LISTED).map(title).join(', ')}">and ${alike.length - LISTED} more</span>`
      : '';
  const alikeNames = alike.length === 0 ? '<span class="note">none</span>' : `${names}${more}`;
  return (
    `<tr>${head}<td><b>${winners.map(title).join(', ')}</b><br><span class="note">${value(first)} ${intervalText(first.value.low, first.value.high, digits)}</span></td>` +
    `<td>${alikeNames}</td><td>${standing(held)}</td><td>${control ? `${title(control)} ${standing(control)}` : ''}${warning}</td></tr>`
  );
}

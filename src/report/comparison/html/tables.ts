/** @file Tables of the report: methods by a category's metrics, and every number of one metric. */

import type { ResultMethod } from '../../../evaluation/compare/results.ts';
import { formatValue } from '../../attribution/normalise.ts';
import { escapeText } from '../../attribution/svg.ts';
import type { Analysis, MethodRow, MetricTable } from '../analyse.ts';
import { byFamily, type CategoryTable, fullPairs } from '../by-category.ts';
import { arrow, type Digits, intervalText, numberText, pText, signed, tableDigits } from '../format.ts';
import { type BarScale, barScale, intervalBar, metricHead, nameCell, numberCell, sortHead, valueCell } from './cells.ts';

/** A sortable table in a box that scrolls sideways. */
export const sortable = (name: string, head: readonly string[], rows: readonly string[], kind = ''): string =>
  `<div class="wide" tabindex="0" role="region" aria-label="${escapeText(name)}"><table class="sortable${kind}"><thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;

/** A method's row; the reference's is marked. */
export const rowHtml = (method: ResultMethod, reference: string, cells: readonly string[]): string =>
  `<tr${method.name === reference ? ' class="reference"' : ''}>${nameCell(method)}${cells.join('')}</tr>`;

/** Methods × the metrics of a category. */
export function categoryHtml({ results }: Analysis, { categories, metrics, methods }: CategoryTable): string {
  const title = categories.join(', ');
  const columns = metrics.map(table => ({
    table,
    digits: tableDigits(table),
    full: fullPairs(table),
    scale: barScale(table.rows.map(row => row.value)),
  }));
  const rows = methods.map(({ method, cells }) =>
    rowHtml(
      method,
      results.reference,
      columns.map(({ table, digits, scale, full }, i) => valueCell(cells[i], table, digits, scale, full)),
    ),
  );
  return `<h4>${title}</h4>${sortable(`Table: ${title}`, [sortHead('method', 'text'), ...metrics.map(t => metricHead(t.metric))], rows)}`;
}

/** Everything about one metric, folded away. */
export function metricHtml({ results, level }: Analysis, table: MetricTable): string {
  const { metric, rows } = table;
  const digits = tableDigits(table);
  const percent = `${100 * level} %`;
  const values = barScale(rows.map(row => row.value));
  const differences = barScale(
    rows.flatMap(row => (row.toReference ? [row.toReference.difference] : [])),
    true,
  );
  const found = new Map(rows.map(row => [row.method, row]));
  const listed = byFamily(results.methods).filter(method => found.has(method.name));
  const body = listed.map(method => {
    const row = found.get(method.name)!;
    return rowHtml(method, results.reference, [
      ...valueCells(row, digits, values, metric.direction !== 'none'),
      ...pairedCells(row, digits, differences),
    ]);
  });
  const first = metric.direction === 'lower' ? 'up' : 'down';
  const heads = [
    sortHead('method', 'text'),
    sortHead('mean', 'number', first, `With ${percent} interval over pairs`),
    '<th></th>',
    ...(metric.direction === 'none' ? [] : [sortHead('rank', 'number')]),
    sortHead('pairs', 'number', 'down', 'Pairs with a value'),
    sortHead('seed SD', 'number', 'up', 'Standard deviation over seeds within a pair'),
    sortHead('difference', 'number', first, `Mean over pairs of method minus reference, with ${percent} interval`),
    '<th></th>',
    sortHead('p rank', 'number', 'up', 'Wilcoxon signed-rank test, two-sided, Holm-corrected over methods'),
    sortHead('p mean', 'number', 'up', 'Sign-flip permutation test of the mean, two-sided, Holm-corrected over methods'),
    '<th scope="col" title="Pairs on which the method’s value is larger, equal, smaller">&gt; = &lt;</th>',
    '<th scope="col" title="The method compared with the reference, by the test of the mean">result</th>',
  ];
  const nan = rows.reduce((sum, row) => sum + row.nanCount, 0);
  const count = nan > 0 ? ` <span class="nan">${nan} NaN</span>` : '';
  return (
    `<details><summary><b>${escapeText(metric.title)}</b> <span class="dir">${arrow(metric.direction)} ${escapeText(metric.unit)}</span>${count}</summary>` +
    `<p class="reading small"><b>How to read it.</b> ${escapeText(metric.reading)} ${DIRECTION[metric.direction]}</p>${sortable(metric.title, heads, body, ' full')}</details>`
  );
}

const DIRECTION = { higher: 'Higher is better.', lower: 'Lower is better.', none: 'Neither end is better, so nothing is ranked.' } as const;

function valueCells(row: MethodRow, digits: Digits, scale: BarScale, ranked: boolean): string[] {
  const { value, best } = row;
  const shown = numberText(value.estimate, digits);
  const interval = intervalText(value.low, value.high, digits);
  const mean = best ? `<b class="best">${shown}</b>` : shown;
  const nan = row.nanCount > 0 ? `<span class="nan">${row.nanCount} NaN</span> ` : '';
  return [
    numberCell(value.estimate, `${mean} <span class="note">${interval}</span>`),
    `<td>${intervalBar(value, scale, 56, `${shown} ${interval}`)}</td>`,
    ...(ranked ? [numberCell(row.rank, row.rank === undefined ? '–' : String(row.rank))] : []),
    numberCell(row.pairs, `${nan}${row.pairs}`),
    numberCell(row.seedSpread, row.seeds < 2 ? '<span class="note">one seed</span>' : numberText(row.seedSpread, digits)),
  ];
}

function pairedCells({ toReference: d }: MethodRow, digits: Digits, scale: BarScale): string[] {
  if (!d) return [numberCell(undefined, ''), '<td></td>', numberCell(undefined, ''), numberCell(undefined, ''), '<td></td>', '<td></td>'];
  const { difference, effect, verdict } = d;
  const shown = signed(difference.estimate, digits);
  const interval = intervalText(difference.low, difference.high, digits);
  const tests = `uncorrected: ${pText(d.wilcoxon)} Wilcoxon, ${pText(d.signFlip)} sign flip; ${d.pairs} common pairs; rank-biserial correlation ${formatValue(effect.rankBiserial, 2)}`;
  return [
    numberCell(difference.estimate, `${shown} <span class="note">${interval}</span>`),
    `<td>${intervalBar(difference, scale, 72, `${shown} ${interval}`, verdict)}</td>`,
    numberCell(d.wilcoxonHolm, `<span title="${escapeText(tests)}">${escapeText(pText(d.wilcoxonHolm))}</span>`),
    numberCell(d.signFlipHolm, `<span title="${escapeText(tests)}">${escapeText(pText(d.signFlipHolm))}</span>`),
    `<td class="note">${effect.wins} ${effect.ties} ${effect.losses}</td>`,
    `<td><span class="verdict ${verdict}">${verdict}</span></td>`,
  ];
}

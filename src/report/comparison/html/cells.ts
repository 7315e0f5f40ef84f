/** @file Cells that the report's tables share: names with their family's mark, values with their intervals as small bars. */

import type { ResultMethod, ResultMetric } from '../../../evaluation/compare/results.ts';
import type { Estimate } from '../../../tensor/statistics/bootstrap.ts';
import { escapeText, round, toSvg } from '../../attribution/svg.ts';
import type { MethodRow, MetricTable, Verdict } from '../analyse.ts';
import { likeBest } from '../by-category.ts';
import { arrow, type Digits, intervalText, numberText, optionsText } from '../format.ts';
import { mark, pageChart } from '../svg/palette.ts';

/** The range of a column of bars. */
export interface BarScale {
  readonly low: number;
  readonly high: number;
  /** A line at zero, for differences. */
  readonly zero?: boolean;
}

/** The range that holds all intervals. */
export function barScale(estimates: readonly Estimate[], zero = false): BarScale {
  let [low, high] = zero ? [0, 0] : [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { estimate, low: from, high: to } of estimates)
    for (const value of [estimate, from, to]) {
      if (!Number.isFinite(value)) continue;
      [low, high] = [Math.min(low, value), Math.max(high, value)];
    }
  return { low, high, zero };
}

/** An interval as a bar with a dot; empty where there is no value. */
export function intervalBar(
  { estimate, low, high }: Estimate,
  scale: BarScale,
  width: number,
  title: string,
  verdict: Verdict | '' = '',
): string {
  if (!Number.isFinite(estimate) || !Number.isFinite(scale.low)) return '';
  const span = scale.high - scale.low || 1;
  const at = (value: number): string => round(4 + ((value - scale.low) / span) * (width - 8));
  const base = `<line class="base" x1="0" x2="${width}" y1="7" y2="7"/>`;
  const zero = scale.zero ? `<line class="zero" x1="${at(0)}" x2="${at(0)}" y1="1" y2="13"/>` : '';
  const bar = Number.isFinite(low) && Number.isFinite(high) ? `<line class="span" x1="${at(low)}" x2="${at(high)}" y1="7" y2="7"/>` : '';
  return `<svg class="ib ${verdict}" width="${width}" height="14" viewBox="0 0 ${width} 14" aria-hidden="true"><title>${escapeText(title)}</title>${base}${zero}${bar}<circle class="dot" cx="${at(estimate)}" cy="7" r="3"/></svg>`;
}

/** The first cell of a row. */
export function nameCell(method: ResultMethod): string {
  const sign = `<svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">${toSvg(mark(method.family, 7, 7, 4, pageChart), { text: 'live' })}</svg>`;
  const options = optionsText(method);
  const about = `${method.name}, ${method.family}${options ? `; ${options}` : ''}`;
  return `<th scope="row" data-value="${escapeText(method.title)}" title="${escapeText(about)}"><span class="name">${sign}<span>${escapeText(method.title)}</span></span></th>`;
}

/** A heading that sorts. `first`: the order of the first press. */
export const sortHead = (html: string, kind: 'text' | 'number', first: 'up' | 'down' = 'up', title = ''): string =>
  `<th scope="col" data-kind="${kind}" data-first="${first}" aria-sort="none"${kind === 'number' ? ' class="number"' : ''}${title ? ` title="${escapeText(title)}"` : ''}><button type="button">${html}</button></th>`;

/** A metric's heading: name and arrow; its reading on hover. */
export const metricHead = (metric: ResultMetric): string =>
  sortHead(
    `${escapeText(metric.title)} <span class="dir">${arrow(metric.direction)}</span>`,
    'number',
    metric.direction === 'lower' ? 'up' : 'down',
    `${metric.reading} Unit: ${metric.unit}.`,
  );

/** A number's cell. */
export const numberCell = (value: number | undefined, html: string): string =>
  `<td class="number" data-value="${value !== undefined && Number.isFinite(value) ? value : ''}">${html}</td>`;

/** Mean, dagger, bar, and what there is to be said about missing values. */
export function valueCell(row: MethodRow | undefined, table: MetricTable, digits: Digits, scale: BarScale, full: number): string {
  if (!row) return '<td class="number" data-value=""><span class="note">not judged</span></td>';
  const { value, nanCount, pairs } = row;
  if (!Number.isFinite(value.estimate)) {
    const why = nanCount > 0 ? `<span class="nan">${nanCount} NaN</span>` : '<span class="note">no pairs</span>';
    return `<td class="number" data-value="">${why}</td>`;
  }
  const shown = numberText(value.estimate, digits);
  const interval = intervalText(value.low, value.high, digits);
  const place = row.best ? '; best' : likeBest(row) ? '; no clear difference from the best' : '';
  const title = `${table.metric.title}: ${shown} ${interval}, ${pairs} pairs${nanCount > 0 ? `, ${nanCount} NaN left out` : ''}${place}`;
  const notes = [
    pairs + row.undefinedPairs < full ? `<span class="note">n ${pairs}</span>` : '',
    nanCount > 0 ? `<span class="nan">${nanCount} NaN</span>` : '',
  ].join('');
  const number = row.best ? `<b class="best">${shown}</b>` : `<span>${shown}${likeBest(row) ? '<sup>†</sup>' : ''}</span>`;
  const hidden = interval ? `<span class="hidden"> ${interval}</span>` : '';
  return numberCell(
    value.estimate,
    `<span class="cell" title="${escapeText(title)}">${notes}${number}${hidden}${intervalBar(value, scale, 64, title)}</span>`,
  );
}

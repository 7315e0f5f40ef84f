/** @file How the report writes numbers: as many digits as their intervals bear, p-values, places, options. */

import type { ResultCost, ResultMethod } from '../../evaluation/compare/results.ts';
import { digitsFor, formatValue } from '../attribution/normalise.ts';
import { themes } from '../attribution/theme.ts';
import type { MetricTable } from './analyse.ts';

/** The report's light ink and paper, for pictures that are files of their own. */
export const paperTheme = themes.light;

/** How a table's numbers are written: with so many digits behind the point, or, where they span powers of ten, with three significant ones. */
export type Digits = number | 'significant';

/** Two significant digits of the median half width of a table's intervals, so that all rows line up; costs with significant ones. */
export function tableDigits({ rows, metric }: MetricTable): Digits {
  if (metric.category === 'cost') return 'significant';
  const halves = rows.map(({ value }) => (value.high - value.low) / 2).filter(half => half > 0);
  halves.sort((a, b) => a - b);
  const half = halves[halves.length >> 1];
  if (half !== undefined) return Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(half))));
  const most = rows.reduce((top, { value }) => Math.max(top, Math.abs(value.estimate) || 0), 0);
  return Math.max(2, digitsFor(most));
}

/** A number of a table, with a true minus sign; a dash for NaN. */
export function numberText(value: number, digits: Digits): string {
  if (digits !== 'significant') return formatValue(value, digits);
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 1e-3 || size >= 1e6 || !Number.isFinite(value))
    return Number.isFinite(value) ? value.toExponential(1).replace(/-/g, '−') : '–';
  return (size >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(3)))).replace('-', '−');
}

/** A number with a sign, for differences. */
export const signed = (value: number, digits: Digits): string => {
  const text = numberText(value, digits);
  return Number.isFinite(value) && value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
};

/** `0.023`, `<0.001`; a dash for NaN. */
export function pText(p: number): string {
  if (Number.isNaN(p)) return '–';
  return p < 0.001 ? '<0.001' : p > 0.999 ? '1' : p.toFixed(3);
}

/** `[0.12, 0.34]`, or nothing where there is no interval. */
export const intervalText = (low: number, high: number, digits: Digits): string =>
  Number.isFinite(low) && Number.isFinite(high) ? `[${numberText(low, digits)}, ${numberText(high, digits)}]` : '';

/** A duration with two or three significant digits. */
export function secondsText(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 1) return `${Number((1000 * seconds).toPrecision(2))} ms`;
  return seconds < 90 ? `${Number(seconds.toPrecision(2))} s` : `${Number((seconds / 60).toPrecision(2))} min`;
}

/** `29 ms to 41 ms`, of a cost's measurements; empty where there are none or only one. */
export const rangeText = ({ range, measurements }: Pick<ResultCost, 'range' | 'measurements'>): string =>
  range && measurements !== 1 ? `${secondsText(range[0])} to ${secondsText(range[1])}` : '';

/** `steps 20, layer 9`; empty for none. */
export const optionsText = ({ options }: ResultMethod): string =>
  Object.entries(options)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');

/** Arrow of a metric's direction. */
export const arrow = (direction: 'higher' | 'lower' | 'none'): string => ({ higher: '↑', lower: '↓', none: '' })[direction];

/** A part's name: `Images: flat icons`. */
export const partTitle = ({ group, modality }: { readonly group: string; readonly modality: 'image' | 'text' }): string =>
  `${modality === 'image' ? 'Images' : 'Captions'}: ${group}`;

/** A short name for files: letters, digits and dashes. */
export const slug = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '') || 'part';

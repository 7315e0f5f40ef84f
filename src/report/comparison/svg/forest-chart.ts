/** @file Forest plot: every method's paired difference to the reference in one metric, with interval and corrected p-value. */

import type { ResultMethod } from '../../../evaluation/compare/results.ts';
import type { MetricTable } from '../analyse.ts';
import { intervalText, pText, signed, tableDigits } from '../format.ts';
import type { Chart } from './chart.ts';
import { type ForestRow, forestPlot } from './forest-plot.ts';
import { type ChartTheme, mark } from './palette.ts';

/** The chart, best method first; undefined when nothing can be compared. */
export function forestChart(
  table: MetricTable,
  methods: readonly ResultMethod[],
  reference: string,
  title: string,
  theme: ChartTheme,
): Chart | undefined {
  const { metric } = table;
  const titles = new Map(methods.map(m => [m.name, m]));
  const sign = metric.direction === 'lower' ? 1 : -1;
  const found = table.rows
    .flatMap(({ method, toReference: d }) => (d && Number.isFinite(d.difference.estimate) ? [{ method: titles.get(method)!, d }] : []))
    .sort((a, b) => sign * (a.d.difference.estimate - b.d.difference.estimate));
  const digits = tableDigits(table);
  const rows = found.map(({ method, d }): ForestRow => {
    const { estimate, low, high } = d.difference;
    const text = `${signed(estimate, digits)} ${intervalText(low, high, digits)}`;
    return {
      name: method.title,
      ...{ estimate, low, high, text },
      verdict: d.verdict === 'better' || d.verdict === 'worse' ? d.verdict : 'alike',
      p: pText(d.signFlipHolm),
      about: `${method.title}: ${text}, ${d.pairs} pairs, ${d.verdict}`,
      mark: (x, y) => mark(method.family, x, y, 4, theme),
    };
  });
  const words = {
    title,
    heading: `${metric.title}: difference to ${titles.get(reference)?.title ?? reference}`,
    columns: ['difference [95 %]', 'p (Holm)'],
    better: metric.direction === 'none' ? undefined : metric.direction === 'higher' ? 'right' : 'left',
    about: found.map(r => `${r.method.title} ${signed(r.d.difference.estimate, digits)}, ${r.d.verdict}`).join('; '),
  } as const;
  return forestPlot(rows, words, theme);
}

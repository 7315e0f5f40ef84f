/** @file Forest plot: every method's paired difference to the reference in one metric, with interval and corrected p-value. */

import type { ResultMethod } from '../../../evaluation/compare/results.ts';
import { measure, shorten } from '../../attribution/glyphs.ts';
import { element, label, type Node } from '../../attribution/svg.ts';
import type { MetricTable, PairedComparison } from '../analyse.ts';
import { intervalText, pText, signed, tableDigits } from '../format.ts';
import { type Chart, chart, drawAxis, linearAxis } from './chart.ts';
import { type ChartTheme, mark } from './palette.ts';

const ROW = 22;

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
  const rows = table.rows
    .flatMap(({ method, toReference: d }) => (d && Number.isFinite(d.difference.estimate) ? [{ method: titles.get(method)!, d }] : []))
    .sort((a, b) => sign * (a.d.difference.estimate - b.d.difference.estimate));
  if (rows.length === 0) return undefined;
  const digits = tableDigits(table);
  const names = Math.min(240, Math.max(...rows.map(r => measure(r.method.title, 12.5)))) + 48;
  const width = 900;
  const top = 76;
  const bottom = top + rows.length * ROW;
  const box = { left: names, top: top - 6, right: width - 276, bottom: bottom + 4 };
  const bound = (r: PairedComparison, side: 'low' | 'high'): number => {
    const value = r.difference[side];
    return Number.isFinite(value) ? value : r.difference.estimate;
  };
  const low = Math.min(0, ...rows.map(r => bound(r.d, 'low')));
  const high = Math.max(0, ...rows.map(r => bound(r.d, 'high')));
  const margin = 0.04 * (high - low);
  const x = linearAxis(low - margin, high + margin, box.left, box.right, 5);
  const zero = x.at(0);
  const better = metric.direction === 'none' ? undefined : metric.direction === 'higher' ? 'right' : 'left';
  const nodes: Node[] = [
    label(`${metric.title}: difference to ${titles.get(reference)?.title ?? reference}`, 14, 24, 14, theme.ink, { weight: 'semibold' }),
    ...drawAxis(x, 'x', box, theme),
    element('line', { x1: zero, x2: zero, y1: box.top, y2: box.bottom, stroke: theme.ink, 'stroke-width': 1.2 }),
    label(`difference [95 %]`, width - 82, top - 14, 11.5, theme.muted, { anchor: 'end' }),
    label('p (Holm)', width - 14, top - 14, 11.5, theme.muted, { anchor: 'end' }),
  ];
  const side = (text: string, where: 'left' | 'right', colour: string): void => {
    const room = where === 'left' ? zero - box.left : box.right - zero;
    if (measure(text, 11.5) + 8 < room)
      nodes.push(label(text, zero + (where === 'left' ? -8 : 8), top - 14, 11.5, colour, { anchor: where === 'left' ? 'end' : 'start' }));
  };
  if (better) {
    side(better === 'left' ? '← better' : 'better →', better, theme.good);
    side(better === 'left' ? 'worse →' : '← worse', better === 'left' ? 'right' : 'left', theme.bad);
  }
  rows.forEach(({ method, d }, i) => {
    const y = top + i * ROW + ROW / 2 - 2;
    const colour = d.verdict === 'better' ? theme.good : d.verdict === 'worse' ? theme.bad : theme.muted;
    const text = `${signed(d.difference.estimate, digits)} ${intervalText(d.difference.low, d.difference.high, digits)}`;
    const [from, to] = [x.at(bound(d, 'low')), x.at(bound(d, 'high'))];
    const shape =
      d.verdict === 'alike' || d.verdict === 'unknown'
        ? { fill: theme.paper, stroke: colour, 'stroke-width': 1.6 }
        : { fill: colour, stroke: colour, 'stroke-width': 1.6 };
    nodes.push(
      mark(method.family, 20, y, 4, theme),
      label(shorten(method.title, names - 46, 12.5), 32, y + 4, 12.5, theme.ink),
      element('line', { x1: from, x2: to, y1: y, y2: y, stroke: colour, 'stroke-width': 2 }),
      element(
        'g',
        {},
        element('title', {}, `${method.title}: ${text}, ${d.pairs} pairs, ${d.verdict}`),
        element('circle', { cx: x.at(d.difference.estimate), cy: y, r: 4, ...shape }),
      ),
      label(text, width - 82, y + 4, 12, theme.ink, { anchor: 'end' }),
      label(pText(d.signFlipHolm), width - 14, y + 4, 12, theme.ink, { anchor: 'end' }),
    );
  });
  const about = rows.map(r => `${r.method.title} ${signed(r.d.difference.estimate, digits)}, ${r.d.verdict}`).join('; ');
  return chart({ width, height: bottom + 36 }, title, about, theme, nodes);
}

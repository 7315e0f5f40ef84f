/** @file A forest plot: differences with their intervals on one axis, a row each, under headings where rows come in groups. */
import { measure, shorten } from '../../attribution/glyphs.ts';
import { element, label, type Node } from '../../attribution/svg.ts';
import { type Axis, type Chart, chart, drawAxis, linearAxis } from './chart.ts';
import type { ChartTheme } from './palette.ts';

const ROW = 22;

/** A difference. */
export interface ForestRow {
  readonly name: string;
  readonly estimate: number;
  /** NaN where there is no interval. */
  readonly low: number;
  readonly high: number;
  /** What the test says; only `better` and `worse` are filled and coloured. */
  readonly verdict: 'better' | 'worse' | 'alike';
  /** Difference and interval as text, and p. */
  readonly text: string;
  readonly p: string;
  /** Shown on hover. */
  readonly about: string;
  /** Heading that stands above the first row of the group. */
  readonly group?: string;
  /** Drawn before the name. */
  mark?(x: number, y: number): Node;
}

/** Words around the rows. */
export interface ForestWords {
  /** Title for those who cannot see the chart, and the line that is drawn at its top. */
  readonly title: string;
  readonly heading: string;
  /** Above the columns at the right. */
  readonly columns: readonly [difference: string, p: string];
  /** On which side of zero it is better; none is named where it is undefined. */
  readonly better?: 'left' | 'right';
  /** For those who cannot see the chart. */
  readonly about: string;
}

const inside = (row: ForestRow, side: 'low' | 'high'): number => (Number.isFinite(row[side]) ? row[side] : row.estimate);

/** The chart; undefined for no rows. Rows whose estimate is not finite must not be given. */
export function forestPlot(rows: readonly ForestRow[], words: ForestWords, theme: ChartTheme): Chart | undefined {
  if (rows.length === 0) return undefined;
  const indent = rows.some(row => row.mark) ? 32 : 14;
  const names = Math.min(240, Math.max(...rows.map(r => measure(r.name, 12.5)))) + indent + 16;
  const width = 900;
  const top = 76;
  const headed = (i: number): boolean => rows[i].group !== undefined && rows[i].group !== rows[i - 1]?.group;
  const headings = rows.filter((_, i) => headed(i)).length;
  const bottom = top + (rows.length + headings) * ROW;
  const box = { left: names, top: top - 6, right: width - 276, bottom: bottom + 4 };
  const low = Math.min(0, ...rows.map(r => inside(r, 'low')));
  const high = Math.max(0, ...rows.map(r => inside(r, 'high')));
  const margin = 0.04 * (high - low);
  const x = linearAxis(low - margin, high + margin, box.left, box.right, 5);
  const zero = x.at(0);
  const nodes: Node[] = [
    label(words.heading, 14, 24, 14, theme.ink, { weight: 'semibold' }),
    ...drawAxis(x, 'x', box, theme),
    element('line', { x1: zero, x2: zero, y1: box.top, y2: box.bottom, stroke: theme.ink, 'stroke-width': 1.2 }),
    label(words.columns[0], width - 82, top - 14, 11.5, theme.muted, { anchor: 'end' }),
    label(words.columns[1], width - 14, top - 14, 11.5, theme.muted, { anchor: 'end' }),
  ];
  const side = (text: string, where: 'left' | 'right', colour: string): void => {
    const room = where === 'left' ? zero - box.left : box.right - zero;
    if (measure(text, 11.5) + 8 < room)
      nodes.push(label(text, zero + (where === 'left' ? -8 : 8), top - 14, 11.5, colour, { anchor: where === 'left' ? 'end' : 'start' }));
  };
  if (words.better) {
    side(words.better === 'left' ? '← better' : 'better →', words.better, theme.good);
    side(words.better === 'left' ? 'worse →' : '← worse', words.better === 'left' ? 'right' : 'left', theme.bad);
  }
  let at = 0;
  rows.forEach((row, i) => {
    if (headed(i)) {
      const y = top + at++ * ROW + ROW / 2 - 2;
      nodes.push(label(shorten(row.group!, names - 22, 12, 'semibold'), 14, y + 4, 12, theme.muted, { weight: 'semibold' }));
    }
    const y = top + at++ * ROW + ROW / 2 - 2;
    if (row.mark) nodes.push(row.mark(20, y));
    nodes.push(
      label(shorten(row.name, names - indent - 14, 12.5), indent, y + 4, 12.5, theme.ink),
      ...drawInterval(row, x, y, theme),
      label(row.text, width - 82, y + 4, 12, theme.ink, { anchor: 'end' }),
      label(row.p, width - 14, y + 4, 12, theme.ink, { anchor: 'end' }),
    );
  });
  return chart({ width, height: bottom + 36 }, words.title, words.about, theme, nodes);
}

function drawInterval(row: ForestRow, x: Axis, y: number, theme: ChartTheme): Node[] {
  const colour = row.verdict === 'better' ? theme.good : row.verdict === 'worse' ? theme.bad : theme.muted;
  const shape = { fill: row.verdict === 'alike' ? theme.paper : colour, stroke: colour, 'stroke-width': 1.6 };
  return [
    element('line', { x1: x.at(inside(row, 'low')), x2: x.at(inside(row, 'high')), y1: y, y2: y, stroke: colour, 'stroke-width': 2 }),
    element('g', {}, element('title', {}, row.about), element('circle', { cx: x.at(row.estimate), cy: y, r: 4, ...shape })),
  ];
}

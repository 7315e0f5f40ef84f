/** @file Heat table of ranks: methods by metrics, the best and those like it stand out. */

import type { ResultMethod } from '../../../evaluation/compare/results.ts';
import { CATEGORIES } from '../../../evaluation/metrics/metric.ts';
import { measure, shorten } from '../../attribution/glyphs.ts';
import { element, label, type Node } from '../../attribution/svg.ts';
import type { MethodRow, PartAnalysis } from '../analyse.ts';
import { likeBest } from '../by-category.ts';
import { arrow, numberText, tableDigits } from '../format.ts';
import { type Chart, chart } from './chart.ts';
import { type ChartTheme, mark } from './palette.ts';

const [ROW, GAP] = [24, 12];
/** Width that a page has, and the narrowest and widest cells. */
const [PAGE, NARROW, WIDE] = [1140, 27, 44];

/** Opacity of the accent on the paper: set so that ink reads on all but the strongest two, and paper on those. */
function strength(row: MethodRow, count: number): number {
  if (row.best) return 0.97;
  if (likeBest(row)) return 0.82;
  const place = count > 1 ? (row.rank! - 1) / (count - 1) : 0;
  return 0.04 + 0.5 * (1 - place) ** 1.6;
}

/** The chart, by mean place; undefined when no metric has a direction. */
export function rankChart(
  { tables, meanRank }: PartAnalysis,
  methods: readonly ResultMethod[],
  title: string,
  theme: ChartTheme,
): Chart | undefined {
  const ranked = CATEGORIES.flatMap(category => tables.filter(t => t.metric.category === category && t.best !== undefined));
  if (ranked.length === 0) return undefined;
  const place = (m: ResultMethod): number => meanRank[m.name] ?? 2;
  const listed = methods.filter(m => ranked.some(t => t.rows.some(r => r.method === m.name))).toSorted((a, b) => place(a) - place(b));
  const names = Math.min(230, Math.max(...listed.map(m => measure(m.title, 12.5)))) + 46;
  const headings = ranked.map(t => shorten(`${t.metric.title} ${arrow(t.metric.direction)}`, 180, 12));
  const tilt = Math.PI / 4;
  const top = 44 + Math.max(...headings.map(text => measure(text, 12))) * Math.sin(tilt);
  const nodes: Node[] = [];
  const cell = Math.min(WIDE, Math.max(NARROW, Math.floor((PAGE - names - 70 - 6 * GAP) / ranked.length)));
  const size = cell < 36 ? 11 : 12;
  let left = names + 70;
  const columns = ranked.map((t, i) => {
    if (i > 0 && ranked[i - 1].metric.category !== t.metric.category) left += GAP;
    const at = left;
    left += cell;
    return at;
  });
  const last = Math.max(...headings.map((text, i) => columns[i] + cell / 2 + measure(text, 12) * Math.cos(tilt)));
  const width = Math.max(left + 14, last + 14);
  nodes.push(label('mean place', names + 58, top - 8, 11.5, theme.muted, { anchor: 'end' }));
  ranked.forEach((t, i) => {
    const [x, y] = [columns[i] + cell / 2 + 4, top - 8];
    nodes.push(
      element(
        'g',
        { transform: `rotate(-45 ${x} ${y})` },
        element('title', {}, `${t.metric.category}: ${t.metric.title}. ${t.metric.reading}`),
        label(headings[i], x, y, 12, theme.ink),
      ),
    );
  });
  const lookup = ranked.map(t => ({
    rows: new Map(t.rows.map(r => [r.method, r])),
    digits: tableDigits(t),
    count: t.rows.filter(r => r.rank !== undefined).length,
  }));
  listed.forEach((method, r) => {
    const y = top + r * ROW;
    nodes.push(
      mark(method.family, 20, y + ROW / 2, 4, theme),
      label(shorten(method.title, names - 46, 12.5), 32, y + ROW / 2 + 4.5, 12.5, theme.ink),
    );
    if (meanRank[method.name] !== undefined)
      nodes.push(label(meanRank[method.name].toFixed(2), names + 58, y + ROW / 2 + 4.5, 12, theme.muted, { anchor: 'end' }));
    ranked.forEach((t, i) => {
      const row = lookup[i].rows.get(method.name);
      if (!row) return;
      if (row.rank === undefined) {
        nodes.push(
          label(row.partial && cell > 36 ? `n ${row.pairs}` : '–', columns[i] + cell / 2, y + ROW / 2 + 4.5, 11, theme.muted, {
            anchor: 'middle',
          }),
        );
        return;
      }
      const weight = strength(row, lookup[i].count);
      const note = row.best ? ', best' : likeBest(row) ? ', no clear difference from the best' : '';
      nodes.push(
        element(
          'g',
          {},
          element(
            'title',
            {},
            `${method.title}, ${t.metric.title}: ${numberText(row.value.estimate, lookup[i].digits)}, rank ${row.rank} of ${lookup[i].count}${note}`,
          ),
          element('rect', {
            x: columns[i] + 1,
            y: y + 1,
            width: cell - 2,
            height: ROW - 2,
            rx: 3,
            fill: theme.accent,
            'fill-opacity': weight,
          }),
          label(String(row.rank), columns[i] + cell / 2, y + ROW / 2 + 4.5, size, weight > 0.7 ? theme.paper : theme.ink, {
            anchor: 'middle',
            weight: row.best ? 'semibold' : 'regular',
          }),
        ),
      );
    });
  });
  const best = ranked.map(t => `${t.metric.title}: ${listed.find(m => m.name === t.best)?.title}`).join('; ');
  return chart({ width, height: top + listed.length * ROW + 14 }, title, `Ranks of ${listed.length} methods. Best: ${best}`, theme, nodes);
}

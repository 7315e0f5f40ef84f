/** @file Insertion and deletion curves: a few methods in colour with their names at the lines' ends, the others in grey behind them. */

import type { ResultCurve, ResultMethod } from '../../../evaluation/compare/results.ts';
import { measure, shorten } from '../../attribution/glyphs.ts';
import { formatValue } from '../../attribution/normalise.ts';
import { element, label, type Node } from '../../attribution/svg.ts';
import { type Chart, chart, drawAxis, linearAxis, spread } from './chart.ts';
import type { ChartTheme } from './palette.ts';

/** A method's two curves. */
export interface MethodCurves {
  readonly method: ResultMethod;
  readonly insertion?: ResultCurve;
  readonly deletion?: ResultCurve;
}

/** Area under a curve over [0, 1], by trapezoids. */
export const areaUnder = ({ mean }: ResultCurve): number =>
  mean.slice(1).reduce((sum, value, i) => sum + (value + mean[i]) / 2, 0) / Math.max(1, mean.length - 1);

/** The methods in colour: the reference, the four with the largest area between insertion and deletion, and the best control. */
export function highlighted(all: readonly MethodCurves[], reference: string): MethodCurves[] {
  const gain = ({ insertion, deletion }: MethodCurves): number =>
    (insertion ? areaUnder(insertion) : 0) - (deletion ? areaUnder(deletion) : 0);
  const order = all.toSorted((a, b) => gain(b) - gain(a));
  const chosen = [
    ...order.filter(c => c.method.name === reference),
    ...order.filter(c => c.method.family !== 'control' && c.method.name !== reference).slice(0, 4),
    ...order.filter(c => c.method.family === 'control' && c.method.name !== reference).slice(0, 1),
  ];
  return chosen;
}

/** Room for names and areas at the right of a panel. */
const NAMES = 230;

/** Both panels side by side; a panel without curves is left out. */
export function curvesChart(all: readonly MethodCurves[], reference: string, title: string, theme: ChartTheme): Chart {
  const shown = highlighted(all, reference);
  const sides = (['insertion', 'deletion'] as const).filter(side => all.some(c => c[side]));
  const [panel, height] = [575, 380];
  const range = rangeOf(all);
  const nodes = sides.flatMap((side, i) => onePanel(side, all, shown, range, { left: i * panel, width: panel, height }, theme));
  const about = shown.map(
    c => `${c.method.title}: ${sides.map(s => (c[s] ? `${s} area ${formatValue(areaUnder(c[s]), 3)}` : '')).join(', ')}`,
  );
  return chart({ width: panel * sides.length, height }, title, about.join('; '), theme, nodes);
}

/** Both panels share one range: they are in one unit. */
function rangeOf(all: readonly MethodCurves[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const curve of all.flatMap(c => [c.insertion, c.deletion]))
    for (const value of curve ? [...curve.mean, ...(curve.low ?? []), ...(curve.high ?? [])] : []) {
      if (!Number.isFinite(value)) continue;
      [low, high] = [Math.min(low, value), Math.max(high, value)];
    }
  const margin = 0.04 * (high - low);
  return [low - margin, high + margin];
}

const WORDS = {
  insertion: ['Insertion: best parts come first', 'share of parts shown'],
  deletion: ['Deletion: best parts go first', 'share of parts removed'],
} as const;

function onePanel(
  side: 'insertion' | 'deletion',
  all: readonly MethodCurves[],
  shown: readonly MethodCurves[],
  range: readonly [number, number],
  place: { left: number; width: number; height: number },
  theme: ChartTheme,
): Node[] {
  const drawn = all.filter(c => c[side]);
  const box = { left: place.left + 52, top: 44, right: place.left + place.width - NAMES, bottom: place.height - 48 };
  const x = linearAxis(0, 1, box.left, box.right, 4);
  const y = linearAxis(range[0], range[1], box.bottom, box.top, 5);
  const path = (values: readonly number[]): string =>
    values.map((v, i) => `${i === 0 ? 'M' : 'L'}${x.at(i / (values.length - 1)).toFixed(1)} ${y.at(v).toFixed(1)}`).join('');
  const hover = (c: MethodCurves): Node => element('title', {}, `${c.method.title}: area ${formatValue(areaUnder(c[side]!), 4)}`);
  const [heading, below] = WORDS[side];
  const nodes: Node[] = [
    label(heading, box.left, 22, 14, theme.ink, { weight: 'semibold' }),
    ...drawAxis(x, 'x', box, theme),
    ...drawAxis(y, 'y', box, theme),
    label(below, (box.left + box.right) / 2, box.bottom + 38, 12, theme.muted, { anchor: 'middle' }),
  ];
  const stroke = { fill: 'none', 'stroke-linejoin': 'round' } as const;
  for (const c of drawn.filter(each => !shown.includes(each)))
    nodes.push(
      element('path', { ...stroke, d: path(c[side]!.mean), stroke: theme.muted, 'stroke-width': 1, 'stroke-opacity': 0.38 }, hover(c)),
    );
  const lines = shown.filter(c => c[side]);
  const colour = (c: MethodCurves): string =>
    c.method.family === 'control' ? theme.series[5] : theme.series[shown.indexOf(c) % (theme.series.length - 1)];
  for (const c of lines) {
    const { low: under, high: over } = c[side]!;
    if (!under || !over) continue;
    const point = (v: number, i: number): string => `${x.at(i / (over.length - 1)).toFixed(1)} ${y.at(v).toFixed(1)}`;
    const outline = [...over.map(point), ...under.map(point).reverse()];
    nodes.push(element('path', { d: `M${outline.join('L')}z`, fill: colour(c), 'fill-opacity': 0.1 }));
  }
  for (const c of lines.toReversed()) {
    const dash = c.method.family === 'control' ? '5 4' : undefined;
    nodes.push(
      element('path', { ...stroke, d: path(c[side]!.mean), stroke: colour(c), 'stroke-width': 2.2, 'stroke-dasharray': dash }, hover(c)),
    );
  }
  // Names next to the lines where these are furthest apart: at their ends on the right, moved apart.
  // Where they end at one value, the larger area stands higher.
  const ends = lines.map(c => y.at(c[side]!.mean[c[side]!.mean.length - 1]) - areaUnder(c[side]!) / (range[1] - range[0]));
  spread(ends, 17, box.top + 6, box.bottom - 4).forEach((at, i) => {
    const c = lines[i];
    const text = shorten(c.method.title, NAMES - 30 - measure('0.000 ', 12), 12.5);
    nodes.push(
      element('path', {
        ...stroke,
        d: `M${box.right + 2} ${ends[i].toFixed(1)}L${box.right + 16} ${at.toFixed(1)}`,
        stroke: colour(c),
        'stroke-width': 1,
      }),
      label(text, box.right + 20, at + 4, 12.5, colour(c), { weight: i === 0 && lines[0] === shown[0] ? 'semibold' : 'regular' }),
      label(formatValue(areaUnder(c[side]!), 3), place.left + place.width - 12, at + 4, 12, theme.muted, { anchor: 'end' }),
    );
  });
  nodes.push(label('area', place.left + place.width - 12, box.top - 8, 11.5, theme.muted, { anchor: 'end' }));
  return nodes;
}

/** @file Figures over updates as lines: a legend above, training as lines, evaluations with marks, dashed lines where something happened. */
import { measure, shorten } from '../attribution/glyphs.ts';
import { formatValue } from '../attribution/normalise.ts';
import { element, label, type Node } from '../attribution/svg.ts';
import { type Chart, chart, drawAxis, linearAxis, logAxis } from '../comparison/svg/chart.ts';
import type { ChartTheme } from '../comparison/svg/palette.ts';

/** A line of a chart. */
export interface Series {
  readonly name: string;
  /** Finite; x in updates, rising. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Each point is measured by itself, as an evaluation is, and gets a mark. */
  readonly marked?: boolean;
}

/** What is drawn. */
export interface LinesPlot {
  readonly title: string;
  /** Of the values, such as `nats per dimension`. */
  readonly unit: string;
  readonly series: readonly Series[];
  /** Never on a logarithmic axis: how a schedule falls to nothing is no matter of decades. */
  readonly linear?: boolean;
  /** Updates with a dashed line, and why. */
  readonly events?: readonly { readonly step: number; readonly text: string }[];
}

/** Points of a line at most: more are means of neighbours. */
const MOST = 400;
/** Positive values that spread further than this are drawn on a logarithmic axis. */
const DECADES = 50;
const [WIDTH, HEIGHT, LEFT, RIGHT] = [520, 300, 64, 16];
const ROW = 18;

/** Means of neighbours, so that no more than `most` points are left. */
export function thinned(points: Series['points'], most = MOST): Series['points'] {
  const width = Math.ceil(points.length / most);
  if (width <= 1) return points;
  return Array.from({ length: Math.ceil(points.length / width) }, (_, k) => {
    const some = points.slice(k * width, (k + 1) * width);
    return [0, 1].map(axis => some.reduce((sum, p) => sum + p[axis], 0) / some.length) as [number, number];
  });
}

/** Names in rows with a piece of their line. @returns how high they are */
function legend(series: readonly Series[], look: (i: number) => { stroke: string; 'stroke-dasharray'?: string }, theme: ChartTheme) {
  let [x, row] = [LEFT, 0];
  const nodes = series.flatMap(({ name }, i): Node[] => {
    const text = shorten(name, WIDTH - LEFT - RIGHT - 30, 12);
    const wide = measure(text, 12) + 44;
    if (x > LEFT && x + wide - 16 > WIDTH - RIGHT) [x, row] = [LEFT, row + 1];
    const y = 42 + row * ROW;
    const line = element('line', { x1: x, x2: x + 20, y1: y - 4, y2: y - 4, 'stroke-width': 2.2, ...look(i) });
    const out = [line, label(text, x + 26, y, 12, theme.muted)];
    x += wide;
    return out;
  });
  return { nodes, height: (row + 1) * ROW };
}

/** The chart; every series with its last value in the description and on hovering. */
export function linesChart({ title, unit, series, linear = false, events = [] }: LinesPlot, theme: ChartTheme): Chart {
  const colours = theme.series.length;
  const look = (i: number) => ({
    stroke: theme.series[i % colours],
    ...(i >= colours ? { 'stroke-dasharray': i >= 2 * colours ? '2 3' : '6 3' } : {}),
  });
  const names = legend(series, look, theme);
  const box = { left: LEFT, top: 38 + names.height, right: WIDTH - RIGHT, bottom: HEIGHT + names.height - 28 };
  const drawn = series.map(one => ({ ...one, points: one.marked ? one.points : thinned(one.points) }));
  const all = drawn.flatMap(one => one.points);
  const [xs, ys] = [all.map(p => p[0]), all.map(p => p[1])];
  const [low, high] = [least(ys), most(ys)];
  const across = linearAxis(Math.min(0, least(xs)), most(xs), box.left, box.right, 5);
  // There are no half updates.
  const whole = across.ticks.filter(({ value }) => Number.isInteger(value)).map(({ value }) => ({ value, text: String(value) }));
  const x = { ...across, ticks: whole };
  const logarithmic = !linear && low > 0 && high / low > DECADES;
  const y = logarithmic
    ? logAxis(low / 1.1, high * 1.1, box.bottom, box.top, logTick)
    : linearAxis(low, low === high ? high : high + 0.04 * (high - low), box.bottom, box.top, 5);
  const at = ([u, v]: readonly [number, number]): string => `${x.at(u).toFixed(1)} ${y.at(v).toFixed(1)}`;
  const lines = drawn.flatMap((one, i): Node[] => {
    if (one.points.length === 0) return [];
    const [step, value] = one.points[one.points.length - 1];
    const hover = element('title', {}, `${one.name}: ${shown(value)} at update ${Math.round(step)}`);
    const path = { fill: 'none', 'stroke-linejoin': 'round', 'stroke-width': 2, ...look(i), d: `M${one.points.map(at).join('L')}` };
    const marks = one.marked || one.points.length === 1 ? one.points : [];
    return [
      ...(one.points.length > 1 ? [element('path', path, hover)] : []),
      ...marks.map(p =>
        element(
          'circle',
          { cx: x.at(p[0]).toFixed(1), cy: y.at(p[1]).toFixed(1), r: 3.4, fill: look(i).stroke },
          element('title', {}, `${one.name}: ${shown(p[1])} at update ${p[0]}`),
        ),
      ),
    ];
  });
  const happened = events.map(({ step, text }) =>
    element(
      'line',
      { x1: x.at(step), x2: x.at(step), y1: box.top, y2: box.bottom, stroke: theme.bad, 'stroke-width': 1.4, 'stroke-dasharray': '4 3' },
      element('title', {}, text),
    ),
  );
  const about = series.flatMap(({ name, points }) => (points.length ? [`${name} ends at ${shown(points[points.length - 1][1])}`] : []));
  return chart({ width: WIDTH, height: box.bottom + 46 }, title, `${unit}; ${about.join(', ')}`, theme, [
    label(title, box.left, 20, 14, theme.ink, { weight: 'semibold' }),
    label(logarithmic ? `${unit}, logarithmic` : unit, box.right, 20, 12, theme.muted, { anchor: 'end' }),
    ...names.nodes,
    ...drawAxis(x, 'x', box, theme),
    ...drawAxis(y, 'y', box, theme),
    ...happened,
    ...lines,
    label('updates', (box.left + box.right) / 2, box.bottom + 38, 12, theme.muted, { anchor: 'middle' }),
  ]);
}

// Not Math.min(...values): a long run has more values than a call takes arguments.
const least = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
const most = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);

/** A tick of a logarithmic axis: `0.03`, `3e−5`. */
const logTick = (value: number): string =>
  (value < 1e-3 || value >= 1e5 ? value.toExponential(0) : String(value)).replace('-', '−').replace('+', '');

/** Four significant digits. */
const shown = (value: number): string => formatValue(value, Math.max(0, Math.min(7, 3 - Math.floor(Math.log10(Math.abs(value) || 1)))));

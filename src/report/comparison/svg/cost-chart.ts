/** @file Cost against quality: seconds per map on a logarithmic axis, a metric's mean with its interval; better is always up. */
import { FAMILIES } from '../../../attribution/method.ts';
import type { ResultMethod } from '../../../evaluation/compare/results.ts';
import { measure, shorten } from '../../attribution/glyphs.ts';
import { element, label, type Node } from '../../attribution/svg.ts';
import type { MetricTable, PartAnalysis } from '../analyse.ts';
import { numberText, secondsText, tableDigits } from '../format.ts';
import { type Chart, chart, drawAxis, linearAxis, logAxis } from './chart.ts';
import { type ChartTheme, mark } from './palette.ts';
import { placeLabels } from './place-labels.ts';

/** A method in the plane. */
interface Point {
  readonly method: ResultMethod;
  readonly seconds: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Judged on few pairs: shown, but it cannot beat others. */
  readonly partial: boolean;
}

/** Points that no other beats in both: cheapest first. `sign`: 1 where higher is better, -1 where lower is. */
export function front<T extends { readonly seconds: number; readonly value: number }>(points: readonly T[], sign: 1 | -1): T[] {
  const best: T[] = [];
  for (const point of points.toSorted((a, b) => a.seconds - b.seconds || sign * (b.value - a.value)))
    if (best.length === 0 || sign * (point.value - best[best.length - 1].value) > 0) best.push(point);
  return best;
}

/** The chart; undefined without two methods that have both a cost and a value. */
export function costChart(
  { part }: PartAnalysis,
  table: MetricTable,
  methods: readonly ResultMethod[],
  title: string,
  theme: ChartTheme,
): Chart | undefined {
  const { metric } = table;
  const points = methods.flatMap((method): Point[] => {
    const row = table.rows.find(r => r.method === method.name);
    const seconds = part.cost[method.name]?.seconds;
    if (!row || !(seconds > 0) || !Number.isFinite(row.value.estimate)) return [];
    const { estimate: value, low, high } = row.value;
    return [
      { method, seconds, value, low: Number.isFinite(low) ? low : value, high: Number.isFinite(high) ? high : value, partial: row.partial },
    ];
  });
  if (points.length < 2 || metric.direction === 'none') return undefined;
  const sign = metric.direction === 'higher' ? 1 : -1;
  const [width, height] = [1080, 520];
  const box = { left: 64, top: 64, right: width - 20, bottom: height - 52 };
  const times = points.map(p => p.seconds);
  const ends = [Math.min(...points.map(p => p.low)), Math.max(...points.map(p => p.high))];
  const margin = 0.06 * (ends[1] - ends[0]);
  // Times spread over a few decades, and room at the right for names.
  const x = logAxis(Math.min(...times) / 1.6, Math.max(...times) * 4, box.left, box.right, secondsText);
  const [under, over] = [ends[0] - margin, ends[1] + margin];
  const y = sign > 0 ? linearAxis(under, over, box.bottom, box.top, 6) : linearAxis(under, over, box.top, box.bottom, 6);
  const digits = tableDigits(table);
  const pareto = front(
    points.filter(p => !p.partial),
    sign,
  );
  const nodes: Node[] = [
    ...legend(points, theme),
    ...drawAxis(x, 'x', box, theme),
    ...drawAxis(y, 'y', box, theme),
    label('time per map, beyond encoding the pair (logarithmic)', (box.left + box.right) / 2, height - 12, 12.5, theme.muted, {
      anchor: 'middle',
    }),
    label(`↑ better: ${metric.title}${sign < 0 ? ' (lower is better, axis reversed)' : ''}`, 14, 22, 13.5, theme.ink, {
      weight: 'semibold',
    }),
  ];
  const steps = pareto.map((p, i) =>
    i === 0 ? `M${fix(x.at(p.seconds))} ${fix(y.at(p.value))}` : `H${fix(x.at(p.seconds))}V${fix(y.at(p.value))}`,
  );
  nodes.push(
    element('path', {
      d: `${steps.join('')}H${box.right}`,
      fill: 'none',
      stroke: theme.muted,
      'stroke-width': 1.2,
      'stroke-dasharray': '3 4',
    }),
  );
  for (const p of points) {
    const at = x.at(p.seconds);
    nodes.push(
      element('line', {
        x1: at,
        x2: at,
        y1: y.at(p.low),
        y2: y.at(p.high),
        stroke: theme.family[p.method.family],
        'stroke-width': 1.2,
        'stroke-opacity': 0.4,
      }),
    );
  }
  // Those on the front are named first.
  const order = [...pareto, ...points.filter(p => !pareto.includes(p)).sort((a, b) => sign * (b.value - a.value))];
  const names = order.map(p => shorten(p.method.title, 190, 12));
  const placed = placeLabels(
    order.map((p, i) => ({ x: x.at(p.seconds), y: y.at(p.value), width: measure(names[i], 12) + 4, height: 15 })),
    { ...box, left: box.left + 2 },
  );
  placed.forEach((spot, i) => {
    if (!spot) return;
    const p = order[i];
    const [px, py] = [x.at(p.seconds), y.at(p.value)];
    if (spot.leader) {
      const to = nearest(px, py, spot, measure(names[i], 12) + 4);
      nodes.push(
        element('line', { x1: px, y1: py, x2: to[0], y2: to[1], stroke: theme.muted, 'stroke-width': 0.8, 'stroke-opacity': 0.7 }),
      );
    }
    // Lines behind a name do not strike it through.
    const behind = { x: spot.left, y: spot.top, width: measure(names[i], 12) + 4, height: 15, fill: theme.paper, 'fill-opacity': 0.8 };
    nodes.push(element('rect', behind), label(names[i], spot.left + 2, spot.top + 11.5, 12, theme.ink));
  });
  for (const p of points) {
    const text = `${p.method.title}${p.partial ? ' (on fewer pairs)' : ''}: ${secondsText(p.seconds)}, ${numberText(p.value, digits)} [${numberText(p.low, digits)}, ${numberText(p.high, digits)}]`;
    nodes.push(element('g', {}, element('title', {}, text), mark(p.method.family, x.at(p.seconds), y.at(p.value), 5, theme)));
  }
  const about = `Not beaten in both time and ${metric.title}: ${pareto.map(p => `${p.method.title} (${secondsText(p.seconds)}, ${numberText(p.value, digits)})`).join(', ')}.`;
  return chart({ width, height }, title, about, theme, nodes);
}

const fix = (value: number): string => value.toFixed(1);

/** The point of a label's edge that is nearest to its mark. */
function nearest(px: number, py: number, { left, top }: { left: number; top: number }, width: number): [number, number] {
  return [Math.min(left + width, Math.max(left, px)), Math.min(top + 15, Math.max(top, py))];
}

function legend(points: readonly Point[], theme: ChartTheme): Node[] {
  let at = 20;
  const nodes: Node[] = [];
  for (const family of FAMILIES) {
    if (!points.some(p => p.method.family === family)) continue;
    nodes.push(mark(family, at, 43, 4.6, theme), label(family, at + 10, 47, 12, theme.muted));
    at += 30 + measure(family, 12);
  }
  nodes.push(
    element('line', { x1: at, x2: at + 24, y1: 43, y2: 43, stroke: theme.muted, 'stroke-width': 1.2, 'stroke-dasharray': '3 4' }),
    label('beaten by none', at + 30, 47, 12, theme.muted),
  );
  return nodes;
}

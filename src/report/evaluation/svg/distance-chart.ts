/** @file Distance from the clean set against what the model loses: a point per scenario, with Pearson's r. */
import type { SetResult } from '../../../evaluation/run/results.ts';
import { type Correlation, correlate } from '../../../tensor/statistics/pearson-interval.ts';
import { measure, shorten } from '../../attribution/glyphs.ts';
import { formatValue } from '../../attribution/normalise.ts';
import { element, label, type Node } from '../../attribution/svg.ts';
import { intervalText, pText } from '../../comparison/format.ts';
import { type Chart, chart, drawAxis, linearAxis } from '../../comparison/svg/chart.ts';
import type { ChartTheme } from '../../comparison/svg/palette.ts';
import { placeLabels } from '../../comparison/svg/place-labels.ts';
import { byKind, KIND_TITLES, KINDS, type Kind, pointsText, scenarioTitle } from '../view.ts';

/** A scenario with its distance and what it changes. */
export interface DistancePoint {
  readonly name: string;
  readonly kind: Kind;
  readonly distance: number;
  /** In points. */
  readonly change: number;
}

/** Points of a set by the name of a distance, and how the two sides go together. */
export interface DistancePlot {
  readonly distance: string;
  readonly points: readonly DistancePoint[];
  readonly correlation: Correlation;
}

/** All distances of a set that at least two scenarios have. */
export function distancesOf(set: SetResult): DistancePlot[] {
  const names = [...new Set(set.scenarios.flatMap(({ distances = {} }) => Object.keys(distances)))];
  return names.flatMap(distance => {
    const points = byKind(set).flatMap(({ scenario, kind, distances = {}, againstClean }): DistancePoint[] => {
      const value = distances[distance];
      if (!againstClean || value === undefined || !Number.isFinite(value)) return [];
      return [{ name: scenarioTitle(scenario), kind, distance: value, change: 100 * againstClean.difference }];
    });
    if (points.length < 2) return [];
    const correlation = correlate(
      points.map(p => p.distance),
      points.map(p => p.change),
    );
    return [{ distance, points, correlation }];
  });
}

/** `r = −0.83 [−0.95, −0.50], p 0.003, 27 scenarios`. */
export const correlationText = ({ r, low, high, pValue, n }: Correlation): string =>
  Number.isFinite(r)
    ? `r = ${formatValue(r, 2)} ${intervalText(low, high, 2)}`.trim().concat(`, p ${pText(pValue)}, ${n} scenarios`)
    : `r is not defined (${n} scenarios, one side does not vary)`;

function mark({ kind }: DistancePoint, x: number, y: number, theme: ChartTheme): Node {
  const look = { fill: theme.series[KINDS.indexOf(kind)], stroke: theme.paper, 'stroke-width': 1 };
  if (kind === 'visual') return element('circle', { ...look, cx: x, cy: y, r: 5 });
  if (kind === 'textual') return element('rect', { ...look, x: x - 4.5, y: y - 4.5, width: 9, height: 9 });
  return element('path', { ...look, d: `M${x} ${y - 6.5}L${x + 6.5} ${y}L${x} ${y + 6.5}L${x - 6.5} ${y}z` });
}

function legend(points: readonly DistancePoint[], theme: ChartTheme, y: number): Node[] {
  let x = 20;
  return KINDS.flatMap(kind => {
    const one = points.find(p => p.kind === kind);
    if (!one) return [];
    const nodes = [mark(one, x, y, theme), label(KIND_TITLES[kind], x + 12, y + 4, 11.5, theme.muted)];
    x += measure(KIND_TITLES[kind], 11.5) + 32;
    return nodes;
  });
}

/** The chart. */
export function distanceChart(set: SetResult, { distance, points, correlation }: DistancePlot, theme: ChartTheme): Chart {
  const [width, height] = [640, 400];
  const box = { left: 62, top: 78, right: width - 20, bottom: height - 48 };
  const ends = (values: readonly number[]): [number, number] => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const pad = 0.06 * (high - low);
    return [low - pad, high + pad];
  };
  const x = linearAxis(...ends(points.map(p => p.distance)), box.left, box.right, 5);
  const y = linearAxis(...ends([0, ...points.map(p => p.change)]), box.bottom, box.top, 5);
  const zero = y.at(0);
  const nodes: Node[] = [
    label(shorten(`${set.title}: change in points against ${distance}`, width - 28, 14, 'semibold'), 14, 22, 14, theme.ink, {
      weight: 'semibold',
    }),
    label(correlationText(correlation), 14, 42, 12, theme.ink),
    ...legend(points, theme, 60),
    ...drawAxis(x, 'x', box, theme),
    ...drawAxis(y, 'y', box, theme),
    element('line', { x1: box.left, x2: box.right, y1: zero, y2: zero, stroke: theme.ink, 'stroke-width': 1.2 }),
    label(`${distance} to the clean set`, (box.left + box.right) / 2, height - 10, 12, theme.muted, { anchor: 'middle' }),
  ];
  const names = points.map(p => shorten(p.name, 150, 11));
  const places = placeLabels(
    points.map((p, i) => ({ x: x.at(p.distance), y: y.at(p.change), width: measure(names[i], 11), height: 13 })),
    box,
  );
  points.forEach((p, i) => {
    const place = places[i];
    const title = element('title', {}, `${p.name}: ${distance} ${formatValue(p.distance, 3)}, ${pointsText(p.change / 100)} points`);
    nodes.push(element('g', {}, title, mark(p, x.at(p.distance), y.at(p.change), theme)));
    if (place && !place.leader) nodes.push(label(names[i], place.left, place.top + 10.5, 11, theme.muted));
  });
  const about = points.map(p => `${p.name}: ${formatValue(p.distance, 3)}, ${pointsText(p.change / 100)}`).join('; ');
  return chart({ width, height }, `${set.title}, ${distance}`, about, theme, nodes);
}

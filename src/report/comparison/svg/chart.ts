/** @file What all charts share: the frame of the file, axes with round ticks, linear and logarithmic. */
import { formatValue, niceTicks } from '../../attribution/normalise.ts';
import { element, label, type Node, toSvg } from '../../attribution/svg.ts';
import type { ChartTheme } from './palette.ts';

/** A finished chart; `svg` works as a file and in a page. */
export interface Chart {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

/** Wraps nodes as SVG. `about`: one sentence for those who cannot see it. */
export function chart(
  size: { width: number; height: number },
  title: string,
  about: string,
  theme: ChartTheme,
  nodes: readonly Node[],
): Chart {
  const { width, height } = { width: Math.ceil(size.width), height: Math.ceil(size.height) };
  const root = element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'aria-label': `${title}. ${about}`,
    },
    element('desc', {}, about),
    element('rect', { width, height, fill: theme.paper }),
    ...nodes,
  );
  return { svg: toSvg(root, { text: 'live' }), width, height };
}

/** An axis: where a value lies, and its ticks. */
export interface Axis {
  at(value: number): number;
  readonly ticks: readonly { readonly value: number; readonly text: string }[];
}

/** Linear, from `low` at pixel `start` to `high` at pixel `end`, about `count` ticks. A span of nothing is widened. */
export function linearAxis(low: number, high: number, start: number, end: number, count: number): Axis {
  const pad = high > low ? 0 : Math.abs(high) * 0.1 || 0.5;
  const [from, to] = [low - pad, high + pad];
  const { values, digits } = niceTicks(from, to, count);
  return {
    at: value => start + ((value - from) / (to - from)) * (end - start),
    ticks: values.map(value => ({ value, text: formatValue(value, digits) })),
  };
}

/** Logarithmic, with ticks at 1, and at 2 and 5 where there is room. `text` writes a tick. */
export function logAxis(low: number, high: number, start: number, end: number, text: (value: number) => string): Axis {
  const [from, to] = [Math.log10(low), Math.log10(high)];
  const decades = to - from;
  const steps = decades > 4 ? [1] : decades > 2 ? [1, 3] : [1, 2, 5];
  const ticks = [];
  for (let e = Math.floor(from); e <= Math.ceil(to); e++)
    for (const step of steps) {
      const value = Number(`${step}e${e}`);
      if (value >= low * 0.999 && value <= high * 1.001) ticks.push({ value, text: text(value) });
    }
  return { at: value => start + ((Math.log10(value) - from) / (to - from || 1)) * (end - start), ticks };
}

/** Tick lines across a box and their numbers below (`x`) or to the left (`y`). */
export function drawAxis(
  axis: Axis,
  side: 'x' | 'y',
  box: { left: number; top: number; right: number; bottom: number },
  theme: ChartTheme,
): Node[] {
  return axis.ticks.flatMap(({ value, text }) => {
    const at = axis.at(value);
    const ends = side === 'x' ? { x1: at, x2: at, y1: box.top, y2: box.bottom } : { x1: box.left, x2: box.right, y1: at, y2: at };
    const place: [number, number] = side === 'x' ? [at, box.bottom + 18] : [box.left - 8, at + 4];
    return [
      element('line', { ...ends, stroke: theme.line, 'stroke-width': 1 }),
      label(text, ...place, 12, theme.muted, { anchor: side === 'x' ? 'middle' : 'end' }),
    ];
  });
}

/** Moves places on a line apart until neighbours are `gap` away, as little as possible, within [low, high] where they fit. */
export function spread(places: readonly number[], gap: number, low: number, high: number): number[] {
  const order = [...places.keys()].sort((a, b) => places[a] - places[b]);
  // Blocks of touching labels, each at the mean of what its members want.
  const blocks: { members: number[]; centre: number }[] = [];
  for (const i of order) {
    blocks.push({ members: [i], centre: places[i] });
    for (;;) {
      const [before, last] = [blocks[blocks.length - 2], blocks[blocks.length - 1]];
      if (!before || last.centre - before.centre >= (gap * (before.members.length + last.members.length)) / 2) break;
      const members = [...before.members, ...last.members];
      const wanted = members.reduce((sum, m, k) => sum + places[m] - k * gap, 0) / members.length + ((members.length - 1) * gap) / 2;
      blocks.splice(-2, 2, { members, centre: wanted });
    }
  }
  const out = new Array<number>(places.length);
  for (const { members, centre } of blocks)
    members.forEach((m, k) => {
      out[m] = centre + (k - (members.length - 1) / 2) * gap;
    });
  // Back inside: from the bottom up, then from the top down.
  let limit = high;
  for (const i of order.toReversed()) {
    out[i] = Math.min(out[i], limit);
    limit = out[i] - gap;
  }
  limit = low;
  for (const i of order) {
    out[i] = Math.max(out[i], limit);
    limit = out[i] + gap;
  }
  return out;
}

/** @file The chain as a picture: what is charged against how far states move, then how far against what is lost. SVG, light or dark. */
import { element, label, type Node } from '../../report/attribution/svg.ts';
import { themes } from '../../report/attribution/theme.ts';
import { type Axis, type Chart, chart, drawAxis, linearAxis, logAxis } from '../../report/comparison/svg/chart.ts';
import { type ChartTheme, paperChart } from '../../report/comparison/svg/palette.ts';
import { type Link, type ModelChain, moved } from './chain.ts';

/** Colours by kind of shift, for either theme. */
const KINDS = ['visual', 'textual', 'joint'] as const;
const COLOURS: Readonly<Record<'light' | 'dark', readonly string[]>> = {
  light: ['#2563c9', '#a9540a', '#7a3fc0'],
  dark: ['#7ea8ff', '#f0a250', '#bb93f5'],
};

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const [WIDTH, HEIGHT, PANEL, TOP] = [1080, 460, 290, 96];
const boxOf = (i: number): Box => ({ left: 62 + i * (PANEL + 66), top: TOP, right: 62 + i * (PANEL + 66) + PANEL, bottom: HEIGHT - 62 });

/** A dot: full for the model with the bottleneck, hollow for the other. */
function dot(x: number, y: number, colour: string, hollow: boolean, paper: string): Node {
  return element('circle', { cx: x, cy: y, r: 4.5, fill: hollow ? paper : colour, stroke: colour, 'stroke-width': 1.6 });
}

interface Panel {
  readonly box: Box;
  readonly x: Axis;
  readonly y: Axis;
  readonly title: string;
  readonly xName: string;
  readonly yName: string;
}

function frame({ box, x, y, title, xName, yName }: Panel, theme: ChartTheme): Node[] {
  const middle = (box.left + box.right) / 2;
  return [
    ...drawAxis(x, 'x', box, theme),
    ...drawAxis(y, 'y', box, theme),
    label(title, box.left - 40, TOP - 34, 13.5, theme.ink, { weight: 'semibold' }),
    label(yName, box.left - 40, TOP - 14, 12, theme.muted),
    label(xName, middle, box.bottom + 40, 12, theme.muted, { anchor: 'middle' }),
  ];
}

/** Nats on a logarithmic tick. */
const tick = (value: number): string => (value >= 1000 ? `${value / 1000}k` : String(Number(value.toPrecision(2))));

/** The chart. @param chains the model with the bottleneck first */
export function promiseFigure(chains: readonly ModelChain[], shade: 'light' | 'dark'): Chart {
  const { paper, ink, muted, line } = themes[shade];
  const theme: ChartTheme = { ...paperChart, paper, ink, muted, line };
  const colour = (link: Link): string => COLOURS[shade][KINDS.indexOf(link.condition.kind as (typeof KINDS)[number])];
  const nodes: Node[] = [];

  const { links } = chains[0];
  // A shift of the words moves no picture: such sides are left out.
  const sides = links
    .flatMap(link => (['visual', 'text'] as const).map(side => ({ link, side, nats: link.charge![side].pooled, jsd: link[side].sampled! })))
    .filter(({ jsd }) => jsd > 1e-7);
  const least = Math.min(...sides.map(({ jsd }) => jsd));
  const first = boxOf(0);
  const [low, high] = [Math.min(...sides.map(({ nats }) => nats)), Math.max(...sides.map(({ nats }) => nats))];
  const a: Panel = {
    box: first,
    x: logAxis(low / 1.5, high * 1.5, first.left, first.right, tick),
    y: logAxis(least / 1.5, 1.2, first.bottom, first.top, tick),
    title: 'Charged, and how far z moves',
    xName: 'charged: ½ (clean + shifted) KL of the mean token, nats',
    yName: 'JSD of z from the clean set, nats (squares: words)',
  };
  nodes.push(...frame(a, theme));
  const limit = a.y.at(Math.LN2);
  nodes.push(element('line', { x1: first.left, x2: first.right, y1: limit, y2: limit, stroke: ink, 'stroke-dasharray': '5 4' }));
  nodes.push(label('ln 2: no divergence is larger', first.left + 4, limit + 15, 11.5, ink));
  for (const { link, side, nats, jsd } of sides) {
    const [x, y] = [a.x.at(nats), a.y.at(jsd)];
    if (side === 'visual') nodes.push(dot(x, y, colour(link), false, paper));
    else nodes.push(element('rect', { x: x - 4, y: y - 4, width: 8, height: 8, fill: colour(link), stroke: paper, 'stroke-width': 0.8 }));
  }

  const all = chains.flatMap(chain => chain.links);
  const ends = (read: (link: Link) => number): [number, number] => {
    const values = all.map(read);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const pad = 0.06 * (high - low);
    return [low - pad, high + pad];
  };
  const scatter = (
    i: number,
    text: Pick<Panel, 'title' | 'xName' | 'yName'>,
    x: (link: Link) => number,
    y: (link: Link) => number,
  ): void => {
    const box = boxOf(i);
    const panel: Panel = {
      box,
      x: linearAxis(...ends(x), box.left, box.right, 5),
      y: linearAxis(...ends(y), box.bottom, box.top, 6),
      ...text,
    };
    nodes.push(...frame(panel, theme));
    chains.forEach((chain, c) => {
      for (const link of chain.links) nodes.push(dot(panel.x.at(x(link)), panel.y.at(y(link)), colour(link), c > 0, paper));
    });
  };
  const moves = 'states moved: √JSD pictures + √JSD words';
  scatter(1, { title: 'How far states move, and EMID', xName: moves, yName: 'EMID' }, moved, link => link.emid.value);
  scatter(
    2,
    { title: 'EMID, and accuracy', xName: 'EMID', yName: 'accuracy lost' },
    link => link.emid.value,
    link => link.lost.value,
  );

  KINDS.forEach((kind, i) => {
    nodes.push(dot(24 + i * 150, 26, COLOURS[shade][i], false, paper), label(`${kind} shifts`, 36 + i * 150, 30, 12.5, ink));
  });
  chains.forEach(({ model }, c) => {
    const x = 510 + c * 230;
    nodes.push(dot(x, 26, ink, c > 0, paper), label(model, x + 12, 30, 12.5, ink));
  });
  const about = `Three scatter plots over ${links.length} shifts: the bottleneck's charge against the divergence of z; the movement of states against EMID; EMID against accuracy lost.`;
  return chart({ width: WIDTH, height: HEIGHT }, 'What the bottleneck promises', about, theme, nodes);
}

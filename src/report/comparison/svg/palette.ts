/** @file Colours and marks of the report's charts: on paper as values, in the page as its variables, so that they follow light and dark. */
import type { Family } from '../../../attribution/method.ts';
import { element, type Node } from '../../attribution/svg.ts';
import { themes } from '../../attribution/theme.ts';

/** Colours of a chart. */
export interface ChartTheme {
  readonly paper: string;
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly accent: string;
  readonly good: string;
  readonly bad: string;
  readonly family: Readonly<Record<Family, string>>;
  /** Lines of a chart that stands out, in order. */
  readonly series: readonly string[];
}

const FAMILY: Readonly<Record<Family, readonly [light: string, dark: string]>> = {
  gradient: ['#2563c9', '#7ea8ff'],
  'layer-gradient': ['#0b7f93', '#4cc9dd'],
  attention: ['#7a3fc0', '#bb93f5'],
  perturbation: ['#a9540a', '#f0a250'],
  interaction: ['#b0367f', '#f08cc4'],
  bottleneck: ['#c62b1f', '#ff7d70'],
  external: ['#5f6f12', '#b9cc5c'],
  control: ['#6f7783', '#9aa3b0'],
};
const SERIES: readonly (readonly [light: string, dark: string])[] = [
  ['#c62b1f', '#ff7d70'],
  ['#2563c9', '#7ea8ff'],
  ['#a9540a', '#f0a250'],
  ['#0b7f93', '#4cc9dd'],
  ['#7a3fc0', '#bb93f5'],
  ['#4d5561', '#c3cad4'],
];

const fromEntries = <K extends string, V>(entries: readonly (readonly [K, V])[]): Record<K, V> =>
  Object.fromEntries(entries) as Record<K, V>;
const families = Object.keys(FAMILY) as Family[];

/** What is better and worse: light and dark. */
const GOOD = ['#0b6b3a', '#6fdc9c'] as const;
const BAD = ['#a34a00', '#ffb566'] as const;

const fileChart = (name: 'light' | 'dark', shade: 0 | 1): ChartTheme => {
  const { paper, ink, muted, line } = themes[name];
  return {
    ...{ paper, ink, muted, line },
    accent: ['#3b4cc0', '#9db1ff'][shade],
    good: GOOD[shade],
    bad: BAD[shade],
    family: fromEntries(families.map(f => [f, FAMILY[f][shade]])),
    series: SERIES.map(pair => pair[shade]),
  };
};

/** For files: light paper. */
export const paperChart: ChartTheme = fileChart('light', 0);

/** For files on dark pages. */
export const darkChart: ChartTheme = fileChart('dark', 1);

/** For the page: its own variables. */
export const pageChart: ChartTheme = {
  paper: 'var(--paper)',
  ink: 'var(--ink)',
  muted: 'var(--muted)',
  line: 'var(--line)',
  accent: 'var(--accent)',
  good: 'var(--better)',
  bad: 'var(--worse)',
  family: fromEntries(families.map(f => [f, `var(--${f})`])),
  series: SERIES.map((_, i) => `var(--series-${i})`),
};

const variables = (shade: 0 | 1): string =>
  [
    ...families.map(f => `--${f}: ${FAMILY[f][shade]};`),
    ...SERIES.map((pair, i) => `--series-${i}: ${pair[shade]};`),
    `--better: ${GOOD[shade]}; --worse: ${BAD[shade]};`,
  ].join(' ');

/** Style rules that set the page's variables, light and dark. */
export const chartVariables = `
:root { ${variables(0)} }
@media (prefers-color-scheme: dark) { :root:not([data-theme=light]) { ${variables(1)} } }
:root[data-theme=dark] { ${variables(1)} }
`;

/** A plus of arms `long` and half as thick as `wide` says twice. */
const cross = (long: number, wide: number): string =>
  `M${-wide} ${-long}H${wide}V${-wide}H${long}V${wide}H${wide}V${long}H${-wide}V${wide}H${-long}V${-wide}H${-wide}z`;

/** A family's mark, about `size` pixels from its centre to its edge: distinguished by shape as well as by colour. */
export function mark(family: Family, x: number, y: number, size: number, theme: ChartTheme): Node {
  const fill = { fill: theme.family[family], stroke: theme.paper, 'stroke-width': 1 };
  const s = size;
  const shape = (d: string): Node => element('path', { ...fill, transform: `translate(${x} ${y})`, d });
  switch (family) {
    case 'gradient':
      return element('circle', { ...fill, cx: x, cy: y, r: s });
    case 'layer-gradient':
      return element('rect', { ...fill, x: x - 0.9 * s, y: y - 0.9 * s, width: 1.8 * s, height: 1.8 * s });
    case 'attention':
      return shape(`M0${-1.3 * s}L${1.3 * s} 0L0 ${1.3 * s}L${-1.3 * s} 0z`);
    case 'perturbation':
      return shape(`M0${-1.25 * s}L${1.2 * s} ${0.9 * s}H${-1.2 * s}z`);
    case 'interaction':
      return shape(`M0 ${1.25 * s}L${1.2 * s} ${-0.9 * s}H${-1.2 * s}z`);
    case 'bottleneck':
      return shape(star(1.55 * s));
    case 'external':
      return shape(cross(1.25 * s, 0.45 * s));
    case 'control':
      return element('circle', { fill: theme.paper, stroke: theme.family.control, 'stroke-width': 1.8, cx: x, cy: y, r: 0.85 * s });
  }
}

function star(radius: number): string {
  const points = Array.from({ length: 10 }, (_, i) => {
    const [angle, r] = [(Math.PI * i) / 5 - Math.PI / 2, i % 2 === 0 ? radius : 0.48 * radius];
    return `${(r * Math.cos(angle)).toFixed(2)} ${(r * Math.sin(angle)).toFixed(2)}`;
  });
  return `M${points.join('L')}z`;
}

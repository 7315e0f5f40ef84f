/** @file The matrix as a picture: a table of coloured cells with their numbers. */
import { measure, shorten } from '../../attribution/glyphs.ts';
import { element, label, type Node } from '../../attribution/svg.ts';
import { type Chart, chart } from '../../comparison/svg/chart.ts';
import type { ChartTheme } from '../../comparison/svg/palette.ts';
import { cellText, type Matrix, type MatrixCell, shadeOf } from '../matrix.ts';
import { KIND_TITLES } from '../view.ts';
import { type HeatColours, heatColour } from './heat.ts';

const ROW = 26;
const CELL = 58;
const GAP = 10;

const NOTES = [
  'Change of the share of right answers against the clean set, in points; below zero: fewer are right.',
  '† not significant (paired t over pictures, Holm-corrected over the scenarios of the set, p ≥ 0.05).',
];

/** Where columns start: the cells of a set stand together. Long names of sets get wider cells. */
function columnsOf({ sets }: Matrix, left: number) {
  let x = left;
  return sets.map(({ set, severities }) => {
    const title = shorten(set.title, 260, 12.5, 'semibold');
    const cell = Math.max(CELL, (measure(title, 12.5, 'semibold') + 8) / severities.length);
    const start = x;
    x += severities.length * cell + GAP;
    return { title, start, cell, severities, end: x - GAP };
  });
}

/** The picture. */
export function heatMap(matrix: Matrix, model: string, theme: ChartTheme, colours: HeatColours): Chart {
  const names = matrix.groups.flatMap(({ rows }) => rows.map(({ name }) => measure(name, 12.5)));
  const left = Math.min(320, Math.max(120, ...names)) + 30;
  const columns = columnsOf(matrix, left);
  const heading = `Points lost and gained under shifts: ${shorten(model, 360, 14, 'semibold')}`;
  const width = Math.max(
    columns.at(-1)!.end + 14,
    ...[measure(heading, 14, 'semibold'), ...NOTES.map(note => measure(note, 11.5))].map(text => text + 28),
  );
  const nodes: Node[] = [label(heading, 14, 26, 14, theme.ink, { weight: 'semibold' })];
  for (const { title, start, end, cell, severities } of columns) {
    nodes.push(label(title, (start + end) / 2, 58, 12.5, theme.ink, { weight: 'semibold', anchor: 'middle' }));
    severities.forEach((severity, i) => {
      nodes.push(label(severity, start + (i + 0.5) * cell, 76, 11.5, theme.muted, { anchor: 'middle' }));
    });
  }
  nodes.push(label('severity', left - GAP, 76, 11.5, theme.muted, { anchor: 'end' }));
  let y = 86;
  for (const { kind, rows } of matrix.groups) {
    nodes.push(label(KIND_TITLES[kind], 14, y + 17, 12, theme.muted, { weight: 'semibold' }));
    y += ROW;
    for (const row of rows) {
      nodes.push(label(shorten(row.name, left - 30, 12.5), 20, y + 17, 12.5, theme.ink));
      nodes.push(...cellsOf(row.cells, columns, (cell, x, w) => drawCell(cell, matrix.largest, [x, y, w], theme, colours)));
      y += ROW;
    }
  }
  NOTES.forEach((note, i) => {
    nodes.push(label(note, 14, y + 20 + 17 * i, 11.5, theme.muted));
  });
  const about = matrix.groups.flatMap(({ rows }) =>
    rows.map(row => `${row.name}: ${row.cells.flatMap(cell => (cell ? [cellText(cell)] : [])).join(', ')}`),
  );
  return chart({ width, height: y + 48 }, heading, about.join('; '), theme, nodes);
}

function cellsOf(
  cells: readonly (MatrixCell | undefined)[],
  columns: ReturnType<typeof columnsOf>,
  draw: (cell: MatrixCell | undefined, x: number, width: number) => Node[],
): Node[] {
  let at = 0;
  return columns.flatMap(({ start, cell, severities }) => severities.flatMap((_, i) => draw(cells[at++], start + i * cell, cell)));
}

function drawCell(
  cell: MatrixCell | undefined,
  largest: number,
  [x, y, width]: readonly [number, number, number],
  theme: ChartTheme,
  colours: HeatColours,
): Node[] {
  if (!cell) return [label('·', x + width / 2, y + 17, 12, theme.muted, { anchor: 'middle' })];
  const fill = heatColour(shadeOf(cell.change.difference, largest), colours);
  return [
    element('rect', { x: x + 1, y: y + 1, width: width - 2, height: ROW - 2, rx: 4, fill, stroke: theme.line, 'stroke-width': 0.5 }),
    label(cellText(cell), x + width / 2, y + 17, 12, theme.ink, { anchor: 'middle' }),
  ];
}

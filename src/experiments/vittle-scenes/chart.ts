/** @file The experiment's chart: paired differences to the plain condition with their intervals, a panel per kind of shift. SVG. */

import { median } from '../../tensor/statistics/descriptive.ts';
import { analyse, COLUMNS, columnsOf, FURTHER_COLUMNS } from './analyse.ts';
import { CONDITIONS } from './conditions.ts';
import type { ExamFacts, RunOutcome } from './outcome.ts';
import { digits } from './table.ts';

const [PANEL, ROW, LEFT, TOP] = [190, 24, 150, 46];

/** Beyond so many times the median reach a condition does not widen the axis. */
const FAR = 3;

const ends = ({ low, high }: { readonly low: number; readonly high: number }): [number, number] => [low, high];

const escaped = (text: string): string => text.replace(/[&<>"]/g, c => `&#${c.charCodeAt(0)};`);

/** @param columns names of columns to show */
export function differenceChart(
  runs: readonly RunOutcome[],
  exams: readonly ExamFacts[],
  columns: readonly string[] = [
    ...columnsOf(exams).filter(c => c.of === 'correct'),
    ...columnsOf(exams, FURTHER_COLUMNS).filter(c => c.name.startsWith('cue') && c.of === 'correct'),
  ].map(c => c.name),
): string {
  const table = analyse(
    runs,
    exams,
    [...COLUMNS, ...FURTHER_COLUMNS].filter(c => columns.includes(c.name)),
  );
  // One without a partner of the same seed has no difference yet.
  const rows = CONDITIONS.slice(1).filter(({ name }) => table.has(name) && columns.every(c => table.get(name)!.get(c)!.difference));
  const reaches = rows.map(({ name }) => Math.max(...columns.flatMap(c => ends(table.get(name)!.get(c)!.difference!).map(Math.abs))));
  // One far away would press all others together: it stands at the edge, with its number.
  const usual = FAR * median(reaches);
  const bound = Math.max(0.01, ...reaches.filter(reach => reach <= usual));
  const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].find(s => bound / s <= 3) ?? 1;
  const limit = Math.ceil(bound / step) * step;
  const [width, height] = [LEFT + columns.length * PANEL + 10, TOP + rows.length * ROW + 44];
  const parts: string[] = [];
  const text = (x: number, y: number, content: string, extra = ''): void => {
    parts.push(`<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${extra}>${escaped(content)}</text>`);
  };
  text(10, 18, `Accuracy against ${CONDITIONS[0].title} tuning, same questions and seeds; bars: 95 % intervals`, 'font-weight="600"');
  columns.forEach((column, k) => {
    const centre = LEFT + k * PANEL + PANEL / 2;
    const x = (value: number): number => centre + (value / limit) * (PANEL / 2 - 24);
    text(centre, TOP - 8, column, 'text-anchor="middle" font-weight="600"');
    for (let tick = -limit; tick <= limit + 1e-9; tick += step) {
      const at = x(tick).toFixed(1);
      const zero = Math.abs(tick) < 1e-9;
      parts.push(`<line x1="${at}" x2="${at}" y1="${TOP}" y2="${TOP + rows.length * ROW}" stroke="${zero ? '#333' : '#ddd'}"/>`);
      if (zero || Math.abs(Math.abs(tick) - limit) < 1e-9)
        text(
          Number(at),
          TOP + rows.length * ROW + 16,
          zero ? '0' : `${tick > 0 ? '+' : '−'}${Math.abs(tick).toFixed(2).replace(/^0/, '')}`,
          'text-anchor="middle" fill="#666"',
        );
    }
    rows.forEach(({ name, colour }, i) => {
      const { estimate, low, high } = table.get(name)!.get(column)!.difference!;
      const y = TOP + i * ROW + ROW / 2;
      if (Math.abs(estimate) > limit) {
        const [edge, anchor] = estimate < 0 ? [-limit, 'start'] : [limit, 'end'];
        const shown = digits(estimate, true);
        text(x(edge), y + 4, estimate < 0 ? `◂ ${shown}` : `${shown} ▸`, `text-anchor="${anchor}" fill="${colour}"`);
        return;
      }
      const [from, to] = ends({ low, high }).map(end => x(Math.max(-limit, Math.min(limit, end))).toFixed(1));
      parts.push(`<line x1="${from}" x2="${to}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="3"/>`);
      parts.push(`<circle cx="${x(estimate).toFixed(1)}" cy="${y}" r="4.5" fill="${colour}"/>`);
    });
  });
  for (const [i, { title }] of rows.entries()) text(LEFT - 8, TOP + i * ROW + ROW / 2 + 4, title, 'text-anchor="end"');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>${parts.join('')}</svg>\n`;
}

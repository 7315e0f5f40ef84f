/** @file From rows to a Markdown table and a JSON record. */
import { RandomStream } from '../src/tensor/random.ts';
import { bootstrap } from '../src/tensor/statistics/bootstrap.ts';
import { median } from '../src/tensor/statistics/descriptive.ts';
import type { Machine } from './machine.ts';
import type { Row, Suite, SuiteResult } from './suite.ts';

/** The median of the ratios rival / ours of the rounds that both took part in, with a 95 % percentile bootstrap interval over rounds. */
export interface Ratio {
  readonly rival: string;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly rounds: number;
}

/** Ratios above 1 say that we are faster (or, for rates, that the rival's rate is higher). */
export function ratios(row: Row): Ratio[] {
  return Object.entries(row.rivals ?? {})
    .filter(([, values]) => values.length > 0)
    .map(([rival, values]) => {
      const pairs = values.map((v, i) => v / row.values[i]);
      const random = new RandomStream(0, 'bench');
      const { estimate, low, high } = bootstrap(pairs, median, { random, method: 'percentile' });
      return { rival, median: estimate, low, high, rounds: pairs.length };
    });
}

/** `met` / `missed` for every aim of a row that can be judged. Times of a busy machine are not: PyTorch suffers from company most of all. */
export function verdicts(row: Row, clean: boolean): string[] {
  if (!clean && row.unit !== 'MB') return row.aims?.length ? ['aims not judged: the machine was busy'] : [];
  const all = ratios(row);
  return (row.aims ?? []).flatMap(({ rival, atLeast, atMost }) => {
    const value = rival === undefined ? median(row.values) : all.find(r => r.rival === rival)?.median;
    if (value === undefined) return [];
    const met = (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost);
    const bound = [atLeast === undefined ? '' : `≥ ${atLeast}`, atMost === undefined ? '' : `≤ ${atMost}`].filter(Boolean).join(', ');
    const what = rival === undefined ? `median ${number(value)} ${row.unit}` : `${number(value)}× ${rival}`;
    return [`aim ${bound}${rival === undefined ? ` ${row.unit}` : `× ${rival}`}: ${met ? 'met' : '**missed**'} (${what})`];
  });
}

const number = (v: number): string => (Number.isFinite(v) ? (v >= 1000 ? v.toFixed(0) : v.toPrecision(3)) : '–');

/** One suite as a table with its notes below. */
export function suiteMarkdown({ name, about }: Suite, { rows, notes = [] }: SuiteResult, clean: boolean): string {
  const lines = [`### ${name}`, '', about, ''];
  if (rows.length) {
    lines.push(
      '| what | unit | median | min | max | n | rival | its median | rival / ours, median [95 %] (rounds) |',
      '|---|---|---|---|---|---|---|---|---|',
    );
    for (const row of rows) {
      const own = [
        row.name,
        row.unit,
        number(median(row.values)),
        number(Math.min(...row.values)),
        number(Math.max(...row.values)),
        row.values.length,
      ];
      const all = ratios(row);
      if (!all.length) lines.push(`| ${[...own, '', '', ''].join(' | ')} |`);
      for (const [i, r] of all.entries()) {
        const left = i === 0 ? own : Array(6).fill('');
        const interval = r.rounds > 1 ? ` [${number(r.low)}, ${number(r.high)}]` : '';
        lines.push(
          `| ${[...left, r.rival, number(median(row.rivals![r.rival])), `${number(r.median)}${interval} (${r.rounds})`].join(' | ')} |`,
        );
      }
    }
    lines.push('');
  }
  const below = [...rows.flatMap(row => [...verdicts(row, clean), ...(row.notes ?? [])].map(text => `${row.name}: ${text}`)), ...notes];
  if (below.length) lines.push(...below.map(text => `- ${text}`), '');
  return lines.join('\n');
}

/** The head of a report. */
export function machineMarkdown(m: Machine, date: string): string {
  const clean = m.clean ? '' : `\n**Not clean: the load average was ${m.loadBefore} at the start; do not quote these figures.**\n`;
  return [
    `# Narrows ${m.narrows}, ${date}`,
    '',
    `${m.cpu}, ${m.cores} cores, ${m.threads} threads used, ${m.memoryGB} GB; ${m.os}; Node ${m.node}, ${m.runtime}${m.torch ? `, PyTorch ${m.torch}` : ''};`,
    `commit ${m.commit}; load average ${m.loadBefore} before, ${m.loadAfter ?? '–'} after.`,
    clean,
  ].join('\n');
}

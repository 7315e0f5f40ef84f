/** @file The tables as Markdown, for docs/evidence. */

import type { ResultMethod } from '../../evaluation/compare/results.ts';
import { formatValue } from '../attribution/normalise.ts';
import type { Analysis, MethodRow, MetricTable, PartAnalysis } from './analyse.ts';
import { byCategory, type CategoryTable, fullPairs, likeBest } from './by-category.ts';
import {
  arrow,
  type Digits,
  intervalText,
  numberText,
  optionsText,
  partTitle,
  pText,
  rangeText,
  secondsText,
  signed,
  tableDigits,
} from './format.ts';

/** Text that is only text in Markdown, in tables too: marks, HTML and line breaks lose their meaning. */
export const markdownText = (text: string): string =>
  text
    .replace(/[\r\n\t]+/g, ' ')
    .replace(/[\\`*_[\]|~$]/g, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;');

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** The document. */
export function tablesMarkdown(analysis: Analysis): string {
  const { results, level, alpha } = analysis;
  const reference = results.methods.find(m => m.name === results.reference)!;
  const text = [
    `# ${markdownText(results.title ?? 'Comparison of attribution methods')}`,
    `Model ${markdownText(results.model.name)}, data ${markdownText(results.data.name)} (${results.data.samples} pairs), ${results.seeds.length} ${results.seeds.length === 1 ? 'seed' : 'seeds'}. Cells: mean over pairs (seeds averaged within a pair) with the ${100 * level} % BCa bootstrap interval over pairs. **Bold** is best; † marks no clear difference from the best (paired sign-flip test, Holm-corrected over the methods of a metric, p > ${alpha}). Differences are to ${markdownText(reference.title)}.`,
    ...(results.warnings?.length ? ['## Warnings', results.warnings.map(w => `- ${markdownText(w)}`).join('\n')] : []),
    ...analysis.parts.flatMap(part => [
      `## ${markdownText(partTitle(part.part))}`,
      ...byCategory(analysis, part).map(table => categoryTable(table)),
      differences(analysis, part),
      costs(results.methods, part),
      ...Object.entries(part.part.skipped ?? {}).map(([name, reason]) => `- ${markdownText(name)}: ${markdownText(reason)}`),
    ]),
    '## How to read the metrics',
    ...results.metrics.map(m => `- **${markdownText(m.title)}** ${arrow(m.direction)}: ${markdownText(m.reading)}`),
  ];
  return `${text.filter(Boolean).join('\n\n')}\n`;
}

function categoryTable({ categories: [category], metrics, methods }: CategoryTable): string {
  const digits = metrics.map(tableDigits);
  const full = metrics.map(fullPairs);
  const head = ['method', ...metrics.map(t => `${markdownText(t.metric.title)} ${arrow(t.metric.direction)}`.trim())];
  const body = methods.map(({ method, cells }) =>
    line([markdownText(method.title), ...cells.map((cell, i) => cellText(cell, digits[i], full[i]))]),
  );
  return `### ${category[0].toUpperCase()}${category.slice(1)}\n\n${line(head)}\n${line(head.map((_, i) => (i === 0 ? '---' : '---:')))}\n${body.join('\n')}`;
}

function cellText(row: MethodRow | undefined, digits: Digits, full: number): string {
  if (!row) return '';
  if (!Number.isFinite(row.value.estimate)) return `not defined (${row.nanCount} NaN)`;
  const mean = numberText(row.value.estimate, digits);
  const notes = [row.pairs < full ? `n ${row.pairs}` : '', row.nanCount > 0 ? `${row.nanCount} NaN` : ''].filter(Boolean);
  const shown = `${row.best ? `**${mean}**` : mean}${likeBest(row) ? '†' : ''} ${intervalText(row.value.low, row.value.high, digits)}`;
  return `${shown.trim()}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`;
}

function differences({ results }: Analysis, { tables }: PartAnalysis): string {
  const titles = new Map(results.methods.map(m => [m.name, m.title]));
  const rows = tables.flatMap((table: MetricTable) => {
    const digits = tableDigits(table);
    return table.rows.flatMap(({ method, toReference: d }) => {
      if (!d) return [];
      const { estimate, low, high } = d.difference;
      const shown = `${signed(estimate, digits)} ${intervalText(low, high, digits)}`.trim();
      const tests = [pText(d.wilcoxonHolm), pText(d.signFlipHolm)].map(markdownText);
      return [line([markdownText(table.metric.title), markdownText(titles.get(method)!), shown, ...tests, d.verdict])];
    });
  });
  if (rows.length === 0) return '';
  const head = ['metric', 'method', 'difference', 'p Wilcoxon (Holm)', 'p sign flip (Holm)', 'method is'];
  return `<details><summary>Paired differences to the reference</summary>\n\n${line(head)}\n${line(['---', '---', '---:', '---:', '---:', '---'])}\n${rows.join('\n')}\n\n</details>`;
}

function costs(methods: readonly ResultMethod[], { part, meanRank }: PartAnalysis): string {
  const rows = methods.flatMap(m => {
    const cost = part.cost[m.name];
    if (!cost && meanRank[m.name] === undefined) return [];
    const place = meanRank[m.name] === undefined ? '' : meanRank[m.name].toFixed(2);
    const work = cost
      ? [
          ...[secondsText(cost.seconds), rangeText(cost), String(cost.measurements ?? '')],
          ...[formatValue(cost.forward, 1), formatValue(cost.backward, 1)],
        ]
      : ['', '', '', '', ''];
    return [line([markdownText(m.title), m.family, place, ...work, markdownText(optionsText(m))])];
  });
  if (rows.length === 0) return '';
  const head = [
    'method',
    'family',
    'mean place (0 best, 1 last)',
    'time per map (median)',
    'least to most',
    'measurements',
    'forward',
    'backward',
    'options',
  ];
  return `### Methods and cost\n\n${line(head)}\n${line(['---', '---', '---:', '---:', '---:', '---:', '---:', '---:', '---'])}\n${rows.join('\n')}`;
}

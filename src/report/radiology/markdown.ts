/** @file An audit as Markdown. */
import { LIMITS, verdicts } from '../../evaluation/radiology/verdict.ts';
import type { AuditResults } from './results.ts';
import { rowsOf, TABLES } from './tables.ts';

const line = (cells: readonly string[]): string => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;

/** The text; a picture of the name `image` beside it is shown where given. */
export function auditMarkdown(results: AuditResults, image?: string): string {
  const { summaries, model, method, command, data } = results;
  const tables = TABLES.flatMap(table => [
    `### ${table.title}`,
    '',
    `${table.note}${table.kind === 'percent' ? ' Percent.' : ''}`,
    '',
    line(['finding', 'n', ...table.columns.map(([, heading]) => heading)]),
    line(['---', '--:', ...table.columns.map(() => '--:')]),
    ...rowsOf(table, summaries).map(line),
    '',
  ]);
  return [
    '# Audit of a model on radiographs',
    '',
    `Made by \`${command}\`.`,
    '',
    `Model ${model.name} (SHA-256 ${model.sha256.slice(0, 16)}), method ${method}, seed ${results.seed}; ${data.findings} findings of ${data.pictures} pictures, boxes in the form of ${data.form}. Intervals: 95 %, BCa bootstrap over pictures.`,
    '',
    ...(image ? [`![A typical finding of each class with its maps](${image})`, ''] : []),
    '## What it says',
    '',
    line(['question', 'answer', 'figures']),
    line(['---', '---', '---']),
    ...verdicts(summaries[0]).map(({ question, answer, sentence }) => line([question, `**${answer}**`, sentence])),
    '',
    '## What a map cannot tell',
    '',
    ...LIMITS.map(text => `- ${text}`),
    '',
    '## The figures',
    '',
    ...tables,
    ...(results.warnings.length ? ['## Warnings', '', ...results.warnings.map(text => `- ${text}`), ''] : []),
  ].join('\n');
}

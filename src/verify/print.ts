/** @file A verification report as a table for the terminal. */
import { stripVTControlCharacters, styleText } from '../node/terminal-text.ts';
import type { VerifyRow } from './compare.ts';
import type { VerifyReport } from './verify.ts';

/** How a report is shown. */
export interface PrintOptions {
  readonly colour?: boolean;
  /** List every tensor; otherwise a family of training gradients that all passed is one line with its worst. Default false. */
  readonly all?: boolean;
}

const COLUMNS = ['tensor', 'shape', 'absolute', 'relative', 'tolerance', ''];

/**
 * The report as text, lines ended by newlines: a table in the file's order, what was not checked, and the verdict.
 * The error that the tolerance limits is marked by `≤` or `>` before the tolerance.
 */
export function printReport(report: VerifyReport, { colour = false, all = false }: PrintOptions = {}): string {
  const style: Style = colour ? (format, text) => styled(format, text) : (_, text) => text;
  const lines = [`${report.reference} against ${report.model.name} (sha256 ${report.model.sha256.slice(0, 12)})`];
  const settings = Object.entries(report.settings).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  if (settings.length) lines.push(style('dim', `settings: ${settings.join(', ')}`));
  lines.push('', ...table([COLUMNS.map(c => style('bold', c)), ...folded(report.rows, all).map(row => cells(row, style))]));
  for (const row of report.rows) if (row.note) lines.push(style(row.ok ? 'dim' : 'red', `${row.name}: ${row.note}`));
  if (report.unverified.length) lines.push('', `Not checked (${report.unverified.length}):`);
  for (const [reason, names] of grouped(report)) lines.push(`  ${names.join(', ')}: ${reason}`);
  const { passed, failed, inputs } = report.counts;
  const checked = `${passed} of ${passed + failed} tensors agree (${inputs} inputs read, ${report.counts.unverified} not checked)`;
  lines.push('', report.ok ? style('green', `ok: ${checked}`) : style('red', `departs: ${checked}`));
  if (report.firstDeparture) lines.push(`The first that differs, in the order of the computation: ${report.firstDeparture}`);
  return `${lines.join('\n')}\n`;
}

type Format = 'dim' | 'bold' | 'red' | 'green';
type Style = (format: Format, text: string) => string;

// Whether to colour was decided by the caller, for the stream that will be written to.
const styled = (format: Format, text: string): string =>
  (styleText as (format: Format, text: string, options: object) => string)(format, text, { validateStream: false });

/** Gradients of a model's parameters: `train.grad.NAME` of a CLIP, `grad.NAME` of a LLaVA. */
const FAMILY = /^(?:train\.grad\.|grad\.(?=model\.|lm_head\.|bottleneck))/;

/** Folds a family that passed whole into its worst row. */
function folded(rows: readonly VerifyRow[], all: boolean): readonly VerifyRow[] {
  const family = rows.filter(row => FAMILY.test(row.name));
  if (all || family.length < 2 || family.some(row => !row.ok)) return rows;
  const worst = family.reduce((a, b) => (b.relativeError > a.relativeError ? b : a));
  const line = { ...worst, name: `${FAMILY.exec(worst.name)![0]}* (worst of ${family.length})` };
  const at = rows.indexOf(family[0]);
  return [...rows.slice(0, at), line, ...rows.slice(at).filter(row => !FAMILY.test(row.name))];
}

function cells(row: VerifyRow, style: Style): string[] {
  const limit = `${row.ok ? '≤' : '>'} ${exponent(row.tolerance)}${row.measure === 'absolute' ? ' abs' : ''}`;
  const found = [exponent(row.absoluteError), exponent(row.relativeError), limit].map(text => (row.ok ? text : style('red', text)));
  return [row.name, row.shape.join('×') || '1', ...found, row.ok ? style('green', 'ok') : style('red', 'departs')];
}

const exponent = (value: number): string => (value === 0 ? '0' : Number.isFinite(value) ? value.toExponential(1) : 'not finite');

function table(rows: readonly string[][]): string[] {
  const length = (text: string): number => stripVTControlCharacters(text).length;
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => length(row[column]))));
  const pad = (text: string, column: number): string => text + ' '.repeat(widths[column] - length(text));
  return rows.map(row => row.map(pad).join('  ').trimEnd());
}

function grouped(report: VerifyReport): Map<string, string[]> {
  const byReason = new Map<string, string[]>();
  for (const { name, reason } of report.unverified) byReason.set(reason, [...(byReason.get(reason) ?? []), name]);
  return byReason;
}

/** @file The comparison of runs as a table for the terminal, as CSV, Markdown and LaTeX. */
import type { ComparedScenario, RunsComparison } from '../../../evaluation/run/compare-runs.ts';
import { csvCell } from '../../../system/csv.ts';
import { pText } from '../../comparison/format.ts';
import { latexText } from '../../comparison/latex.ts';
import { markdownText } from '../../comparison/markdown.ts';
import { latexNumber, latexTable } from '../latex.ts';
import { markdownTable } from '../markdown.ts';
import { figureText, pointsInterval, pointsText, unitText } from '../view.ts';
import { countsText, runDisagreements, runsOnSets } from './summary.ts';

/** A table for whoever lays it out. */
export interface PlainTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** How to read it, in sentences. */
  readonly notes: readonly string[];
}

/** How differences are made; stands under every table. */
export const NOTE =
  'Differences are run minus reference in points of right answers, on the questions that both answered, with 95 % intervals (paired t over pictures); † not significant (Holm over all rows, p ≥ 0.05). Saved: how many points the run loses less than the reference under the shift.';

const differenceText = ({ changes, verdict }: ComparedScenario): string =>
  `${pointsText(changes.difference)}${verdict === 'not significant' ? '†' : ''} ${pointsInterval(changes)}`.trim();

/** The difference of drops; empty where there is none. */
export const dropText = ({ drop }: ComparedScenario): string =>
  drop ? `${pointsText(drop.difference)}${drop.verdict === 'not significant' ? '†' : ''} ${pointsInterval(drop)}`.trim() : '';

/** For the terminal: one line per run, set and scenario. */
export function runsTable(comparison: RunsComparison): PlainTable {
  const rows = runsOnSets(comparison).flatMap(({ rows: list }) =>
    list.map(row => [
      row.run,
      row.benchmark,
      row.scenario,
      figureText(row.reference, row.best),
      figureText(row.value, row.best),
      differenceText(row),
      pText(row.adjusted),
      `${row.changes.rightToWrong} / ${row.changes.wrongToRight}`,
      dropText(row),
    ]),
  );
  const header = ['run', 'set', 'scenario', comparison.reference, 'run', 'difference', 'p', 'lost / won', 'saved'];
  const verdicts = runsOnSets(comparison).map(({ run, benchmark, counts }) => `${run} on ${benchmark}: ${countsText(counts)}.`);
  const warned = runsOnSets(comparison).flatMap(({ run, benchmark, rows: list }) =>
    runDisagreements(list).map(text => `${run} on ${benchmark}, ${text}`),
  );
  return { header, rows, notes: [...verdicts, ...warned, NOTE] };
}

type Value = string | number | undefined;
const COLUMNS: readonly (readonly [name: string, of: (row: ComparedScenario) => Value])[] = [
  ['run', r => r.run],
  ['benchmark', r => r.benchmark],
  ['title', r => r.title],
  ['scenario', r => r.scenario],
  ['kind', r => r.kind],
  ['scorer', r => r.scorer],
  ['metric', r => r.primary],
  ['reference_value', r => r.reference],
  ['run_value', r => r.value],
  ['n', r => r.changes.n],
  ['clusters', r => r.changes.clusters],
  ['reference_share', r => r.changes.a],
  ['run_share', r => r.changes.b],
  ['difference', r => r.changes.difference],
  ['low', r => r.changes.low],
  ['high', r => r.changes.high],
  ['p_paired_t', r => r.changes.pValue],
  ['p_holm', r => r.adjusted],
  ['verdict', r => r.verdict],
  ['right_to_wrong', r => r.changes.rightToWrong],
  ['wrong_to_right', r => r.changes.wrongToRight],
  ['p_mcnemar', r => r.changes.mcnemar],
  ['questions_for_one_point', r => r.changes.questionsForOnePoint],
  ['smallest_difference', r => r.changes.smallestDifference],
  ['reference_drop', r => r.drop?.reference],
  ['run_drop', r => r.drop?.run],
  ['drop_difference', r => r.drop?.difference],
  ['drop_low', r => r.drop?.low],
  ['drop_high', r => r.drop?.high],
  ['drop_p_paired_t', r => r.drop?.pValue],
  ['drop_p_holm', r => r.drop?.adjusted],
  ['drop_verdict', r => r.drop?.verdict],
];

/** A line per run, set and scenario. */
export function runsCsv({ reference, rows }: RunsComparison): string {
  const line = (cells: readonly Value[]): string => `${cells.map(csvCell).join(',')}\r\n`;
  return (
    line(['reference', ...COLUMNS.map(([name]) => name)]) + rows.map(row => line([reference, ...COLUMNS.map(([, of]) => of(row))])).join('')
  );
}

const HEAD = ['scenario', 'reference', 'run', 'difference', 'p (Holm)', 'lost', 'won', 'McNemar', 'saved'];

const cellsOf = (row: ComparedScenario): string[] => [
  figureText(row.reference, row.best),
  figureText(row.value, row.best),
  differenceText(row),
  pText(row.adjusted),
  String(row.changes.rightToWrong),
  String(row.changes.wrongToRight),
  pText(row.changes.mcnemar),
  dropText(row),
];

/** The document. */
export function runsMarkdown(comparison: RunsComparison): string {
  const { reference, runs, warnings } = comparison;
  const parts = runsOnSets(comparison).map(({ run, title, rows, counts, drops }) => {
    const table = markdownTable(
      HEAD,
      rows.map(row => [markdownText(row.scenario), ...cellsOf(row).map(markdownText)]),
    );
    const [{ scorer, best }] = rows;
    const warned = runDisagreements(rows)
      .map(text => `- ${markdownText(text)}`)
      .join('\n');
    const loss = drops ? ` Its losses under shifts are ${countsText(drops)}.` : '';
    return `## ${markdownText(run)} on ${markdownText(title)}\n\n${markdownText(scorer)}, ${unitText(best)}. ${markdownText(run)} is ${countsText(counts)} scenarios.${loss}\n\n${table}${warned === '' ? '' : `\n\n${warned}`}`;
  });
  const models = runs.map(
    ({ name, model }) => `- ${markdownText(name)}${name === reference ? ' (reference)' : ''}: ${markdownText(model)}`,
  );
  const text = [
    '# Comparison of runs',
    models.join('\n'),
    markdownText(NOTE),
    ...(warnings.length > 0 ? ['## Warnings', warnings.map(warning => `- ${markdownText(warning)}`).join('\n')] : []),
    ...parts,
  ];
  return `${text.join('\n\n')}\n`;
}

/** A `table*` per run and set. */
export function runsLatex(comparison: RunsComparison): string {
  const head = ['Scenario & Reference & Run & Difference & $p$ (Holm) & lost & won & McNemar & saved'];
  const tables = runsOnSets(comparison).map(({ run, title, rows, counts }) => {
    const [{ scorer, best }] = rows;
    const caption = `${latexText(run)} against ${latexText(comparison.reference)} on ${latexText(title)} (${latexText(scorer)}, ${latexNumber(unitText(best))}): ${countsText(counts)} scenarios. ${latexText(NOTE).replaceAll('†', '\\textsuperscript{\\textdagger}').replaceAll('≥', '$\\ge$')}`;
    const body = rows.map(row => [latexText(row.scenario), ...cellsOf(row).map(latexNumber)]);
    return latexTable(caption, 'lrrlrrrrl', head, [body]);
  });
  return `% Needs \\usepackage{booktabs,textcomp} and \\usepackage[T1]{fontenc}.\n\n${tables.join('\n')}`;
}

/** @file Scores and changes as LaTeX (booktabs): the sets at a glance, the matrix, and a table per set. */
import type { EvaluationResults, SetResult } from '../../evaluation/run/results.ts';
import { pText } from '../comparison/format.ts';
import { latexText } from '../comparison/latex.ts';
import { headlineOf } from './headline.ts';
import { cellText, type Matrix, matrixOf } from './matrix.ts';
import {
  byKind,
  figureText,
  isSignificant,
  KIND_TITLES,
  pointsInterval,
  pointsText,
  primaryOf,
  scenarioTitle,
  scoreInterval,
  unitText,
} from './view.ts';

/** Columns of the matrix that a page has room for. */
const MOST = 9;

/** A number as this report writes it: true minus signs, daggers and missing values. */
export const latexNumber = (text: string): string =>
  text
    .replaceAll('−', '$-$')
    .replaceAll('†', '\\textsuperscript{\\textdagger}')
    .replaceAll('–', '--')
    .replaceAll('%', '\\%')
    .replaceAll('<', '$<$');

/** What would be taken for an option of the line break before it. */
const guarded = (row: string): string => (/^\s*[[*]/.test(row) ? `{}${row}` : row);

/** A table. @param spec columns as `lrrr` @param groups rows of cells; a rule stands between groups */
export function latexTable(
  caption: string,
  spec: string,
  head: readonly string[],
  groups: readonly (readonly (readonly string[])[])[],
): string {
  const body = groups.map(rows => rows.map(cells => `${guarded(cells.join(' & '))} \\\\`).join('\n')).join('\n\\midrule\n');
  return `\\begin{table*}[t]
\\centering\\footnotesize\\setlength{\\tabcolsep}{3pt}
\\caption{${caption}}
\\begin{tabular}{${spec}}
\\toprule
${head.join(' \\\\\n')} \\\\
\\midrule
${body}
\\bottomrule
\\end{tabular}
\\end{table*}
`;
}

const small = (text: string): string => (text === '' ? '' : ` {\\scriptsize ${latexNumber(text)}}`);
const points = (change: { readonly difference: number; readonly adjusted: number }): string =>
  latexNumber(`${pointsText(change.difference)}${isSignificant(change) ? '' : '†'}`);

function headlines({ sets }: EvaluationResults): string {
  const rows = sets.map(set => {
    const { first, means } = headlineOf(set);
    const score = first
      ? `${latexNumber(figureText(primaryOf(set, first.score), set.best))}${small(scoreInterval(first.score, set.best))}`
      : '--';
    const mean = (kind: 'visual' | 'textual' | 'joint'): string => (means[kind] ? latexNumber(pointsText(means[kind].change)) : '--');
    return [
      latexText(set.title),
      String(set.questions),
      `${score} ${latexNumber(unitText(set.best))}`,
      mean('visual'),
      mean('textual'),
      mean('joint'),
    ];
  });
  const caption =
    'Clean scores with 95\\,\\% intervals over pictures, and mean changes under shifts of pictures, of words, and of both, in points of right answers.';
  return latexTable(caption, 'lrrrrr', ['Set & $n$ & Clean & $\\Delta$ pictures & $\\Delta$ words & $\\Delta$ both'], [rows]);
}

/** The matrix in pieces of whole sets that fit a page. */
function matrices(matrix: Matrix): string[] {
  const starts: number[] = [];
  let at = 0;
  for (const { severities } of matrix.sets) {
    starts.push(at);
    at += severities.length;
  }
  const pieces: number[][] = [];
  let width = Number.POSITIVE_INFINITY;
  matrix.sets.forEach(({ severities }, i) => {
    if (width + severities.length > MOST) {
      pieces.push([]);
      width = 0;
    }
    pieces.at(-1)!.push(i);
    width += severities.length;
  });
  const caption =
    'Change against the clean set in points of right answers. \\textsuperscript{\\textdagger}: not significant (paired $t$ over pictures, Holm-corrected over the scenarios of a set, $p\\ge0.05$).';
  return pieces.map(piece => {
    const sets = piece.map(i => matrix.sets[i]);
    const top = sets.map(({ set, severities }) => `\\multicolumn{${severities.length}}{c}{${latexText(set.title)}}`);
    const head = [['', ...top].join(' & '), ['Shift', ...sets.flatMap(s => s.severities.map(latexText))].join(' & ')];
    const groups = matrix.groups.map(({ rows }) =>
      rows.map(({ name, cells }) => [
        latexText(name),
        ...piece.flatMap(i =>
          cells.slice(starts[i], starts[i] + matrix.sets[i].severities.length).map(cell => (cell ? latexNumber(cellText(cell)) : '')),
        ),
      ]),
    );
    return latexTable(caption, `l${'r'.repeat(sets.flatMap(s => s.severities).length)}`, head, groups);
  });
}

function setTable(set: SetResult): string {
  const all = byKind(set);
  const groups = [...new Set(all.map(({ kind }) => kind))].map(kind =>
    all
      .filter(one => one.kind === kind)
      .map(({ scenario, score, againstClean: c }) => [
        latexText(scenarioTitle(scenario)),
        `${latexNumber(figureText(primaryOf(set, score), set.best))}${small(scoreInterval(score, set.best))}`,
        String(score.n),
        ...(c
          ? [`${points(c)}${small(pointsInterval(c))}`, latexNumber(pText(c.adjusted)), String(c.rightToWrong), String(c.wrongToRight)]
          : ['', '', '', '']),
      ]),
  );
  const kinds = [...new Set(all.map(({ kind }) => KIND_TITLES[kind]))].join('; ');
  const caption = `${latexText(set.title)}, scorer \\texttt{${latexText(set.scorer)}}: ${kinds}. Brackets: 95\\,\\% intervals over pictures.`;
  const head = [
    `Scenario & ${latexText(set.primary)} (${latexNumber(unitText(set.best))}) & $n$ & Points & $p$ (Holm) & right$\\to$wrong & wrong$\\to$right`,
  ];
  return latexTable(caption, 'llrlrrr', head, groups);
}

/** A document's worth of `table*` environments. */
export function scoresLatex(results: EvaluationResults): string {
  const matrix = matrixOf(results);
  const tables = [headlines(results), ...(matrix ? matrices(matrix) : []), ...results.sets.map(setTable)];
  return `% Model: ${latexText(results.model)}; seed ${results.seed}; Narrows ${latexText(results.narrows)}.\n% Needs \\usepackage{booktabs,textcomp} and \\usepackage[T1]{fontenc}.\n\n${tables.join('\n')}`;
}

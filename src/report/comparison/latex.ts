/** @file The tables as LaTeX (booktabs): at most four metrics side by side, so that they fit a page. */
import type { Analysis, MethodRow } from './analyse.ts';
import { byCategory, type CategoryTable, fullPairs, likeBest } from './by-category.ts';
import { type Digits, numberText, partTitle, tableDigits } from './format.ts';

const SPECIAL: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
  '"': '\\textquotedbl{}',
  '×': '\\ensuremath{\\times}',
  '−': '\\ensuremath{-}',
  '·': '\\ensuremath{\\cdot}',
  '²': '\\textsuperscript{2}',
};

/** Text that is only text in LaTeX. */
export const latexText = (text: string): string =>
  text
    .replace(/[\r\n\t]+/g, ' ')
    .replace(/[\\~^<>|"×−·²]|[&%$#_{}]/g, character => SPECIAL[character] ?? `\\${character}`)
    // Ligatures that would change what is read.
    .replace(/--/g, '-{}-')
    .replace(/([?!])`/g, '$1{}`');

const MOST = 4;
const number = (value: number, digits: Digits): string => numberText(value, digits).replace('−', '$-$').replace('–', '--');

/** A document's worth of `table*` environments. */
export function tablesLatex(analysis: Analysis): string {
  const { results, level, alpha } = analysis;
  const reference = results.methods.find(m => m.name === results.reference)!;
  const legend =
    `Mean over pairs with ${100 * level}\\,\\% BCa intervals (seeds averaged within a pair). Bold: best; \\textsuperscript{\\textdagger}: no clear difference from the ` +
    `best; \\textsuperscript{+}/\\textsuperscript{--}: better or worse than ${latexText(reference.title)} (paired sign-flip tests, Holm-corrected, ` +
    `$\\alpha=${alpha}$).`;
  const tables = analysis.parts.flatMap(part =>
    byCategory(analysis, part, { most: MOST }).map(table =>
      tableLatex(table, `${latexText(partTitle(part.part))}, ${table.categories[0]}. ${legend}`),
    ),
  );
  return `% Model: ${latexText(results.model.name)}; data: ${latexText(results.data.name)}, ${results.data.samples} pairs, ${results.seeds.length} seeds.\n% Needs \\usepackage{booktabs,textcomp} and \\usepackage[T1]{fontenc}.\n\n${tables.join('\n')}`;
}

function tableLatex({ metrics, methods }: CategoryTable, caption: string): string {
  const digits = metrics.map(tableDigits);
  const full = metrics.map(fullPairs);
  const arrows = { higher: ' $\\uparrow$', lower: ' $\\downarrow$', none: '' };
  const head = metrics.map(t => `${latexText(t.metric.title)}${arrows[t.metric.direction]}`);
  const lines: string[] = [];
  methods.forEach(({ method, cells }, i) => {
    if (i > 0 && methods[i - 1].method.family !== method.family) lines.push('\\midrule');
    lines.push(`${[latexText(method.title), ...cells.map((cell, m) => cellLatex(cell, digits[m], full[m]))].join(' & ')} \\\\`);
  });
  return `\\begin{table*}[t]
\\centering\\small
\\caption{${caption}}
\\begin{tabular}{l${'l'.repeat(metrics.length)}}
\\toprule
Method & ${head.join(' & ')} \\\\
\\midrule
${lines.join('\n')}
\\bottomrule
\\end{tabular}
\\end{table*}
`;
}

function cellLatex(row: MethodRow | undefined, digits: Digits, full: number): string {
  if (!row) return '';
  if (!Number.isFinite(row.value.estimate)) return `-- {\\scriptsize (${row.nanCount} NaN)}`;
  const mean = number(row.value.estimate, digits);
  const verdict = row.toReference?.verdict;
  const marks = [likeBest(row) ? '\\textdagger' : '', verdict === 'better' ? '+' : verdict === 'worse' ? '--' : ''].filter(Boolean);
  const above = marks.length > 0 ? `\\textsuperscript{${marks.join('')}}` : '';
  const { low, high } = row.value;
  const notes = [
    Number.isFinite(low) ? `[${number(low, digits)}, ${number(high, digits)}]` : '',
    row.pairs < full ? `$n={}$${row.pairs}` : '',
    row.nanCount > 0 ? `${row.nanCount} NaN` : '',
  ].filter(Boolean);
  return `${row.best ? `\\textbf{${mean}}` : mean}${above}${notes.length > 0 ? ` {\\scriptsize ${notes.join(' ')}}` : ''}`;
}

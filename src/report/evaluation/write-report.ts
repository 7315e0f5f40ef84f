/** @file Writes the report of an evaluation: a page, tables for people, papers and programs, pictures for light and dark pages. */
import type { EvaluationResults } from '../../evaluation/run/results.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { join } from '../../node/paths.ts';
import { exactJson } from '../../system/exact-json.ts';
import type { Chart } from '../comparison/svg/chart.ts';
import { type AnswerSource, embedAnswers } from './answers.ts';
import { evaluationCharts } from './charts.ts';
import { figuresCsv, scoresCsv } from './csv.ts';
import { drawWorst, type WorstSources } from './draw-worst.ts';
import { evaluationHtml } from './html.ts';
import { scoresLatex } from './latex.ts';
import { scoresMarkdown } from './markdown.ts';

/** What a report has besides the results. */
export interface EvaluationReportOptions extends WorstSources {
  /** For the search; none where it is not given. */
  readonly answers?: AnswerSource;
}

/** A chart as a file. */
export const svgFile = ({ svg }: Chart): string => `<?xml version="1.0" encoding="UTF-8"?>\n${svg}\n`;

/** Files of a report by their names below its folder, written whole or not at all. @throws NarrowsError for a folder that cannot be written */
export async function writeAll(output: string, files: readonly (readonly [name: string, content: string])[]): Promise<string[]> {
  const paths: string[] = [];
  for (const [name, content] of files) {
    const path = join(output, name);
    await writeFileAtomic(path, content);
    paths.push(path);
  }
  return paths;
}

/**
 * Writes report.html, results.json, scores.csv, figures.csv, scores.tex, scores.md and figures/*.svg.
 * @returns their paths @throws NarrowsError for a folder that cannot be written
 */
export async function writeEvaluationReport(
  output: string,
  results: EvaluationResults,
  { answers = [], ...sources }: EvaluationReportOptions = {},
): Promise<string[]> {
  const embedded = await embedAnswers(answers, results);
  const drawn = await drawWorst(results, sources);
  return writeAll(output, [
    ['report.html', evaluationHtml(results, embedded, drawn)],
    ['results.json', `${exactJson(results, 1)}\n`],
    ['scores.csv', scoresCsv(results)],
    ['figures.csv', figuresCsv(results)],
    ['scores.tex', scoresLatex(results)],
    ['scores.md', scoresMarkdown(results)],
    ...evaluationCharts(results).map(({ name, chart }): [string, string] => [join('figures', `${name}.svg`), svgFile(chart)]),
  ]);
}

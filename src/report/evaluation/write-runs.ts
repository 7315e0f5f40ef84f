/** @file Writes the report of a comparison of runs. */
import type { RunsComparison } from '../../evaluation/run/compare-runs.ts';
import { join } from '../../node/paths.ts';
import { exactJson } from '../../system/exact-json.ts';
import { runsCharts } from './runs/charts.ts';
import { runsHtml } from './runs/html.ts';
import { runsCsv, runsLatex, runsMarkdown } from './runs/table.ts';
import { svgFile, writeAll } from './write-report.ts';

/**
 * Writes comparison.html, comparison.json, comparison.csv, comparison.tex, comparison.md and figures/*.svg.
 * @returns their paths @throws NarrowsError for a folder that cannot be written
 */
export const writeRunsReport = (output: string, comparison: RunsComparison): Promise<string[]> =>
  writeAll(output, [
    ['comparison.html', runsHtml(comparison)],
    ['comparison.json', `${exactJson(comparison, 1)}\n`],
    ['comparison.csv', runsCsv(comparison)],
    ['comparison.tex', runsLatex(comparison)],
    ['comparison.md', runsMarkdown(comparison)],
    ...runsCharts(comparison).map(({ name, chart }): [string, string] => [join('figures', `${name}.svg`), svgFile(chart)]),
  ]);

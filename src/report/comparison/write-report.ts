/** @file Writes the report of a comparison: a page, tables for people, papers and programs, charts. */

import type { ComparisonResults } from '../../evaluation/compare/results.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { join } from '../../node/paths.ts';
import { type AnalyseOptions, analyse } from './analyse.ts';
import { partCharts } from './charts.ts';
import { tablesCsv } from './csv.ts';
import { drawGallery } from './draw-gallery.ts';
import { partTitle, slug } from './format.ts';
import { comparisonHtml } from './html.ts';
import { resultsJson } from './json.ts';
import { tablesLatex } from './latex.ts';
import { tablesMarkdown } from './markdown.ts';
import { paperChart } from './svg/palette.ts';

/**
 * Writes report.html, tables.csv, results.json, tables.tex, tables.md and figures/*.svg, each whole or not at all.
 * @returns their paths
 * @throws NarrowsError for results that contradict themselves, or a directory that cannot be written
 */
export async function writeReport(results: ComparisonResults, directory: string, options: AnalyseOptions = {}): Promise<string[]> {
  const analysis = analyse(results, options);
  const drawn = await drawGallery(results);

  const paths: string[] = [];
  const write = async (name: string, content: string | Iterable<Uint8Array>): Promise<void> => {
    const path = join(directory, name);
    await writeFileAtomic(path, content);
    paths.push(path);
  };
  await write('report.html', comparisonHtml(analysis, drawn));
  await write('tables.csv', tablesCsv(analysis));
  await write('results.json', resultsJson(analysis, drawn));
  await write('tables.tex', tablesLatex(analysis));
  await write('tables.md', tablesMarkdown(analysis));
  const taken = new Set<string>();
  for (const part of analysis.parts) {
    const stem = slug(partTitle(part.part));
    for (const { name, chart } of partCharts(analysis, part, paperChart, true)) {
      let file = `${stem}-${name}`;
      for (let k = 2; taken.has(file); k++) file = `${stem}-${name}-${k}`;
      taken.add(file);
      await write(join('figures', `${file}.svg`), `<?xml version="1.0" encoding="UTF-8"?>\n${chart.svg}\n`);
    }
  }
  return paths;
}

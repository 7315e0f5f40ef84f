/** @file Comparisons and evaluations of the studio's list, read from their folders. */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { drawWorst } from '../../report/evaluation/draw-worst.ts';
import type { ComparisonView, RobustnessView } from '../../studio/evidence.ts';
import { comparisonView, robustnessView } from '../../studio/evidence-files.ts';
import { StudioError } from '../../studio/protocol.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import type { Context } from '../command.ts';
import { storedSources } from '../evaluate/report-run.ts';
import type { Source } from './sources.ts';

/** The results.json of a source, its name and its folder. */
async function resultsOf({ path, info }: Source): Promise<{ readonly text: string; readonly name: string; readonly folder: string }> {
  const file = (await stat(path)).isDirectory() ? join(path, 'results.json') : path;
  const text = await readFile(file, 'utf8').catch(cause => {
    throw new NarrowsError(`${file} cannot be read (${messageOf(cause)}); the report has not been written yet.`, { cause });
  });
  return { text, name: file === path ? info.name : `${basename(path)}/results.json`, folder: dirname(file) };
}

const wanted = ({ info }: Source, kind: Source['info']['kind'], what: string): void => {
  if (info.kind !== kind) throw new StudioError('usage', `${info.name} is no ${what}.`);
};

/** A comparison. @throws StudioError or NarrowsError for what is none */
export async function comparisonOf(source: Source): Promise<ComparisonView> {
  wanted(source, 'comparison', 'comparison');
  const { text, name } = await resultsOf(source);
  return comparisonView(text, name);
}

/** An evaluation, with pictures of its worst cases where its data are at hand. @throws StudioError or NarrowsError for what is none */
export async function robustnessOf(source: Source, context: Context): Promise<RobustnessView> {
  wanted(source, 'evaluation', 'evaluation');
  const { text, name, folder } = await resultsOf(source);
  const view = robustnessView(text, name);
  const { worst } = view.results;
  if (worst.length === 0) return view;
  try {
    const drawn = await drawWorst(view.results, await storedSources(context, folder));
    const pictures = worst.map(one =>
      Object.fromEntries(
        [...(drawn.get(one) ?? [])].map(([scenario, { pictures: shown }]) => [
          scenario,
          typeof shown === 'string' ? { problem: shown } : shown.map(({ uri }) => uri),
        ]),
      ),
    );
    return { ...view, pictures };
  } catch (error) {
    if (!(error instanceof NarrowsError)) throw error;
    return { ...view, pictures: worst.map(() => ({ clean: { problem: error.message } })) };
  }
}

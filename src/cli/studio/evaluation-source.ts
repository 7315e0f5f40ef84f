/** @file An evaluation of the studio's list with pictures of its worst cases: what draws them is read only when it is asked for. */
import { readFile } from '../../node/disk.ts';
import { drawWorst } from '../../report/evaluation/draw-worst.ts';
import type { RobustnessView } from '../../studio/evidence.ts';
import { robustnessView } from '../../studio/evidence-files.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Context } from '../command.ts';
import { storedSources } from '../evaluate/report-run.ts';
import type { ResultsFile } from './evidence-source.ts';

/** An evaluation, with pictures of its worst cases where its data are at hand. @throws StudioError or NarrowsError for what is none */
export async function robustnessOf({ path, name, folder }: ResultsFile, context: Context): Promise<RobustnessView> {
  const view = robustnessView(await readFile(path, 'utf8'), name);
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

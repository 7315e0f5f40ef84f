/** @file `narrows evaluate compare`: runs of several models over the same questions, question by question. */
import { basename, resolve } from 'node:path';
import { compareRuns, type RunsComparison, type ScoredRun } from '../../evaluation/run/compare-runs.ts';
import { readRun } from '../../evaluation/run/folder.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Context, Options } from '../command.ts';
import { formatTable } from '../table.ts';
import { scoreRun } from './report-run.ts';

/** A folder's run, scored. @throws NarrowsError where it holds none */
async function scoredRun(context: Context, folder: string, name: string, scorers: readonly string[] | undefined): Promise<ScoredRun> {
  const run = await readRun(folder);
  if (!run) throw new NarrowsError(`${folder} holds no run of narrows evaluate (no run.json).`, { kind: 'usage' });
  const { sets, leftOut } = await scoreRun(folder, run, { scorers, seed: context.seed, signal: context.signal });
  for (const { benchmark, reason } of leftOut) context.log.warn(`${name}: ${benchmark} is not compared: ${reason}`);
  return { name, model: run.model, settings: run.settings, sets };
}

/** Folders by names that tell them apart: their last parts, or the paths as given. */
export function runNames(folders: readonly string[]): string[] {
  const short = folders.map(folder => basename(resolve(folder)));
  return new Set(short).size === short.length ? short : [...folders];
}

const points = (share: number): string => (Number.isNaN(share) ? '–' : `${share > 0 ? '+' : ''}${(100 * share).toFixed(1)}`);
const pValue = (p: number): string => (Number.isNaN(p) ? '–' : p < 0.001 ? '< .001' : p.toFixed(3).replace(/^0/, ''));

function table({ rows, reference }: RunsComparison, columns: number): string {
  const lines = rows.map(row => {
    const { difference, low, high, rightToWrong, wrongToRight, mcnemar, n } = row.changes;
    return [
      row.run,
      row.benchmark,
      row.scenario,
      points(difference),
      Number.isNaN(low) ? '' : `[${points(low)}, ${points(high)}]`,
      `${n}`,
      `${rightToWrong} / ${wrongToRight}`,
      pValue(mcnemar),
      pValue(row.adjusted),
      row.drop ? `${points(row.drop.difference)}${row.drop.adjusted < 0.05 ? '' : ' †'}` : '',
      row.verdict,
    ];
  });
  const header = ['run', 'set', 'scenario', 'points', '95 %', 'n', 'lost / won', 'McNemar', 'p (Holm)', 'drop', 'verdict'];
  const power = rows
    .filter(({ scenario, changes }) => scenario === 'clean' && Number.isFinite(changes.questionsForOnePoint))
    .map(
      ({ benchmark, run, changes }) =>
        `${benchmark}, ${run}: ${changes.questionsForOnePoint} questions would show one point; these ${changes.n} show ${(100 * changes.smallestDifference).toFixed(1)} (80 % power).`,
    );
  return [
    formatTable(header, lines, columns),
    `points: share right minus that of ${reference}, paired, interval over pictures; drop: points less lost to the shift than ${reference} (above 0: holds up better); † not told apart.`,
    ...power,
  ].join('\n');
}

/** Compares the runs of folders; the first is the reference. @throws NarrowsError for fewer than two, or folders without runs */
export async function compareFolders(context: Context, folders: readonly string[], options: Options): Promise<undefined> {
  if (folders.length < 2)
    throw new NarrowsError('Give two folders of runs at least: narrows evaluate compare OUT_A OUT_B.', { kind: 'usage' });
  const names = runNames(folders);
  const runs: ScoredRun[] = [];
  for (const [i, folder] of folders.entries()) {
    context.status(`Scoring ${names[i]}`);
    runs.push(await scoredRun(context, folder, names[i], options.scorer as string[] | undefined));
  }
  context.status();
  const comparison = compareRuns(runs);
  for (const warning of comparison.warnings) context.log.warn(warning);
  if (comparison.rows.length === 0) throw new NarrowsError('The runs share no question that both answered: were they asked the same sets?');
  if (context.json) context.print(JSON.stringify(comparison));
  else context.print(table(comparison, context.columns));
  return undefined;
}

/** @file `narrows evaluate compare`: runs of several models over the same questions, question by question. */
import { basename, resolve } from 'node:path';
import { compareRuns, type RunsComparison, type ScoredRun } from '../../evaluation/run/compare-runs.ts';
import { readRun } from '../../evaluation/run/folder.ts';
import { lockOutput } from '../../node/output-lock.ts';
import { runsTable } from '../../report/evaluation/runs/table.ts';
import { writeRunsReport } from '../../report/evaluation/write-runs.ts';
import { NarrowsError } from '../../system/errors.ts';
import { formatCount } from '../../system/format.ts';
import type { Context, Options } from '../command.ts';
import { formatTable } from '../table.ts';
import { scoreRun } from './report-run.ts';

/** A folder's run, scored. @throws NarrowsError where it holds none */
async function scoredRun(context: Context, folder: string, name: string, scorers: readonly string[] | undefined): Promise<ScoredRun> {
  const run = await readRun(folder);
  if (!run) throw new NarrowsError(`${folder} holds no run of narrows evaluate (no run.json).`, { kind: 'usage' });
  const { sets, leftOut } = await scoreRun(folder, run, { scorers, seed: context.seed, signal: context.signal });
  for (const { benchmark, reason } of leftOut) context.log.warn(`${name}: ${benchmark} is not compared: ${reason}`);
  return { name, model: run.model, settings: run.settings, seed: run.seed, sets };
}

/** Folders by names that tell them apart: their last parts, or the paths as given. */
export function runNames(folders: readonly string[]): string[] {
  const short = folders.map(folder => basename(resolve(folder)));
  return new Set(short).size === short.length ? short : [...folders];
}

function table(comparison: RunsComparison, columns: number): string {
  const { header, rows, notes } = runsTable(comparison);
  const power = comparison.rows
    .filter(({ kind, changes }) => kind === 'clean' && Number.isFinite(changes.questionsForOnePoint))
    .map(
      ({ benchmark, run, changes }) =>
        `${benchmark}, ${run}: ${formatCount(changes.questionsForOnePoint)} questions would show one point; these ${formatCount(changes.n)} show ${(100 * changes.smallestDifference).toFixed(1)} (80 % power).`,
    );
  return [formatTable(header, rows, columns), ...notes, ...power].join('\n');
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
  const output = options.output as string | undefined;
  if (output !== undefined) {
    await using _lock = await lockOutput(output);
    const files = await writeRunsReport(output, comparison);
    context.log.info(`The report is ${files[0]}.`);
  }
  if (context.json) context.print(JSON.stringify(comparison));
  else context.print(table(comparison, context.columns));
  return undefined;
}

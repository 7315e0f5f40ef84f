/** @file Scores a run's folder, writes its report, and prints what came out. */

import type { LoadOptions } from '../../evaluation/benchmarks/benchmark.ts';
import { benchmarks } from '../../evaluation/benchmarks/registry.ts';
import type { Unanswered } from '../../evaluation/run/answer-sets.ts';
import { AskedSet } from '../../evaluation/run/asked-set.ts';
import { answerLines, assembleRun } from '../../evaluation/run/assemble.ts';
import { readDistances, withDistances } from '../../evaluation/run/distances.ts';
import { checkMeans, hashOf, type RunFacts, readRun, readStoredQuestions } from '../../evaluation/run/folder.ts';
import type { LeftOut } from '../../evaluation/run/load-sets.ts';
import type { EvaluationResults, WorstCase } from '../../evaluation/run/results.ts';
import { CLEAN } from '../../evaluation/run/scenario.ts';
import { type ScoredSetOfRun, scoreSet } from '../../evaluation/run/score-run.ts';
import { scorers } from '../../evaluation/scorers/registry.ts';
import { lockOutput } from '../../node/output-lock.ts';
import { join } from '../../node/paths.ts';
import type { WorstSources } from '../../report/evaluation/draw-worst.ts';
import { LMMS_EVAL_FOLDER, writeLmmsEval } from '../../report/evaluation/lmms-eval.ts';
import { figureText, isSignificant, pointsText, scoreInterval } from '../../report/evaluation/view.ts';
import { writeEvaluationReport } from '../../report/evaluation/write-report.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import type { Context, Options } from '../command.ts';
import { pictureOptions } from '../picture-flags.ts';
import { formatTable } from '../table.ts';
import { joinMaps, type MovedMaps } from './map-shifts.ts';
import { shiftMeans } from './shift-means.ts';

/** What is known of a run besides its folder. */
export interface RunParts {
  readonly run: RunFacts;
  readonly leftOut: readonly LeftOut[];
  readonly unanswered: readonly Unanswered[];
  /** The sets as they were loaded, whose pictures the report shows. */
  readonly loaded: readonly AskedSet[];
  /** How far maps moved (`--attribution`). */
  readonly maps?: MovedMaps;
}

/** A benchmark by its name; of a run of another version it may not be known any more. */
const entryOf = (name: string) => benchmarks.find(one => one.name === name);

/** Sets that a rule can score, scored; of the others, why not. */
export async function scoreRun(
  output: string,
  run: RunFacts,
  options: { readonly scorers?: readonly string[]; readonly seed: number; readonly signal?: AbortSignal },
): Promise<{ readonly sets: ScoredSetOfRun[]; readonly leftOut: LeftOut[] }> {
  const sets: ScoredSetOfRun[] = [];
  const leftOut: LeftOut[] = [];
  for (const { benchmark: name, prompt, scenarios } of run.sets) {
    const benchmark = entryOf(name);
    if (!benchmark) leftOut.push({ benchmark: name, reason: 'this version of Narrows does not know it.' });
    else if (!benchmark.scorers.some(scorer => scorer in scorers))
      leftOut.push({
        benchmark: name,
        reason: `its answers need a judge; they are in ${output}/answers/${name}, and narrows judge marks them.`,
      });
    else sets.push(await scoreSet(output, { benchmark, prompt, questions: await readStoredQuestions(output, name), scenarios }, options));
  }
  return { sets, leftOut };
}

/** The terminal's table: a line per scenario. */
function table(results: EvaluationResults, columns: number): string {
  const rows = results.sets.flatMap(set =>
    set.scenarios.map(({ scenario, score, againstClean }) => {
      return [
        set.benchmark,
        scenario.name,
        figureText(score.metrics[set.primary], set.best),
        scoreInterval(score, set.best),
        `${score.n}${score.missing ? ` (${score.missing} missing)` : ''}`,
        againstClean ? `${pointsText(againstClean.difference)}${isSignificant(againstClean) ? '' : ' †'}` : '',
        againstClean ? `${againstClean.rightToWrong} / ${againstClean.wrongToRight}` : '',
      ];
    }),
  );
  const named = [
    ...new Map(results.sets.map(({ benchmark, primary, scorer }) => [benchmark, `${benchmark}: ${primary} by ${scorer}`])).values(),
  ];
  const notes = [
    named.join('; '),
    ...(rows.some(row => row[5] !== '')
      ? ['change: points right, against the clean set; † not significant (paired over pictures, Holm)']
      : []),
  ];
  return `${formatTable(['set', 'scenario', 'score', '95 %', 'n', 'change', 'lost / won'], rows, columns)}\n${notes.join('\n')}`;
}

/** `--emi`: files of distances, each for the set before its `=`, or for the only one. @throws NarrowsError as `readDistances`, `withDistances` */
async function addDistances(results: EvaluationResults, files: readonly string[]): Promise<EvaluationResults> {
  let added = results;
  for (const text of files) {
    const [, named, path] = /^(?:([^=/\\]+)=)?(.*)$/s.exec(text)!;
    if (named === undefined && results.sets.length !== 1)
      throw new NarrowsError(`The run has scores of ${results.sets.length} sets: say which one ${path} is of, as in --emi SET=${path}.`, {
        kind: 'usage',
      });
    added = withDistances(added, named ?? results.sets[0].benchmark, await readDistances(path), path);
  }
  return added;
}

/** Scores, writes and prints. @throws NarrowsError as `scoreSet` and the report's writer */
export async function reportRun(context: Context, options: Options, output: string, parts: RunParts): Promise<void> {
  context.status('Scoring');
  const { sets, leftOut } = await scoreRun(output, parts.run, {
    scorers: options.scorer as string[] | undefined,
    seed: context.seed,
    signal: context.signal,
  });
  const assembled = assembleRun({ run: parts.run, sets, leftOut: [...parts.leftOut, ...leftOut], unanswered: parts.unanswered });
  const measured = await addDistances(assembled, (options.emi as string[] | undefined) ?? []);
  const joined = parts.maps && (await joinMaps(context, measured, sets, parts.maps, output));
  const results = joined?.results ?? measured;
  context.status('Writing the report');
  const files = await writeEvaluationReport(output, results, { answers: answerLines(sets), ...worstSources(parts.loaded) });
  if (options.lmmsEval) files.push(...(await writeLmmsEval(output, results, { answers: answerLines(sets) })));
  context.status();
  for (const { benchmark, reason } of leftOut) context.log.warn(`${benchmark} has no score: ${reason}`);
  for (const { benchmark, scenarios } of results.sets)
    for (const message of new Set(scenarios.flatMap(({ score }) => score.warnings))) context.log.warn(`${benchmark}: ${message}`);
  if (context.json) context.print(JSON.stringify(results));
  else if (results.sets.length > 0) context.print(table(results, context.columns));
  if (!context.json) for (const line of joined?.lines ?? []) context.print(line);
  context.log.info(`The report is ${files[0]}.`);
  if (options.lmmsEval) context.log.info(`For readers of lmms-eval: ${join(output, LMMS_EVAL_FOLDER)}.`);
}

/** Pictures and words of worst cases from the sets that are loaded. */
function worstSources(loaded: readonly AskedSet[]): WorstSources {
  const find = ({ benchmark }: WorstCase, name: string) => {
    const set = loaded.find(({ given }) => given.benchmark.name === benchmark);
    if (!set) throw new NarrowsError('The data of the set were not at hand when the report was written.');
    return { set, scenario: set.given.scenarios.find(one => one.name === name) ?? CLEAN };
  };
  return {
    async pictures(one, name) {
      const { set, scenario } = find(one, name);
      return set.pictures(scenario, one.key);
    },
    async words(one, name) {
      const { set, scenario } = find(one, name);
      return set.words(scenario, one.key);
    },
  };
}

/** Sets of a run read again, so that their pictures can be shown; those whose data are gone are left out, which the report says. */
async function loadAgain(context: Context, output: string, run: RunFacts, options: Options): Promise<AskedSet[]> {
  const { means, key } = await shiftMeans(options);
  const pictures = pictureOptions(context, options);
  checkMeans(output, run, { key, pictures });
  const sets: AskedSet[] = [];
  for (const { benchmark: name, load, prompt, scenarios, hash } of run.sets) {
    const benchmark = entryOf(name);
    if (!benchmark) continue;
    try {
      const set = await benchmark.load({ ...(load as LoadOptions), pictures, signal: context.signal });
      if (hashOf(set.questions) !== hash) throw new NarrowsError('its questions are other ones now.');
      sets.push(new AskedSet({ benchmark, set, prompt, scenarios }, { seed: run.seed, pictures, means }));
    } catch (error) {
      if (!(error instanceof NarrowsError)) throw error;
      context.log.warn(`No pictures of ${name} in the report: ${messageOf(error)}`);
    }
  }
  return sets;
}

/** Pictures and words of the worst cases of a run that was reported before, from its data. @throws NarrowsError where the folder holds no run */
export async function storedSources(context: Context, output: string): Promise<WorstSources> {
  const run = await readRun(output);
  if (!run) throw new NarrowsError(`${output} holds no run of narrows evaluate (no run.json).`, { kind: 'usage' });
  return worstSources(await loadAgain(context, output, run, {}));
}

/** `--report-only`: the report of what a folder holds. @throws NarrowsError where it holds no run */
export async function reportOnly(context: Context, options: Options): Promise<undefined> {
  const output = options.output as string | undefined;
  if (output === undefined) throw new NarrowsError('--report-only needs the folder of a run: add --output DIR.', { kind: 'usage' });
  const run = await readRun(output);
  if (!run) throw new NarrowsError(`${output} holds no run of narrows evaluate (no run.json).`, { kind: 'usage' });
  await using _lock = await lockOutput(output);
  await reportRun(context, options, output, { run, leftOut: [], unanswered: [], loaded: await loadAgain(context, output, run, options) });
  return undefined;
}

/** @file Runs of several models over the same questions, compared question by question. */

import { scenarioKey } from '../../shifts/suites/scenario.ts';
import { holm } from '../../tensor/statistics/holm.ts';
import { pairedT } from '../../tensor/statistics/paired-t.ts';
import type { Score } from '../scorers/score.ts';
import type { ScoredAnswer } from '../scorers/scorer.ts';
import { type Changes, changesOf, pairedScores, sameQuestion } from './changes.ts';
import { type Scenario, scenarioKind } from './scenario.ts';

/** Answers to a set under a scenario, scored. */
export interface ScoredScenario {
  readonly scenario: Scenario;
  readonly score: Score;
  readonly rows: readonly ScoredAnswer[];
}

/** A set of a run, scored. */
export interface ScoredSet {
  readonly benchmark: string;
  readonly title: string;
  readonly scorer: string;
  readonly primary: string;
  /** What a perfect model gets by `primary`. */
  readonly best: number;
  readonly prompt: string;
  /** Of the questions, see `hashOf`; where it is known. */
  readonly hash?: string;
  readonly scenarios: readonly ScoredScenario[];
}

/** A run, scored. */
export interface ScoredRun {
  /** The folder's last name, or what the caller calls it; unique among the compared. */
  readonly name: string;
  readonly model: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Shifts and drawn sets are others under another seed. */
  readonly seed?: number;
  readonly sets: readonly ScoredSet[];
}

/** Below this p (corrected) a difference is called one. */
const ALPHA = 0.05;

/** What a difference says: `better` and `worse` than the reference, or that these questions do not tell. */
export type Verdict = 'better' | 'worse' | 'not significant';

/** How much less a run loses under a shift than the reference does, on the same questions. */
export interface DropDifference {
  /** Drop of the reference, and of the run: clean minus shifted, 0 to 1. */
  readonly reference: number;
  readonly run: number;
  /** reference - run: above 0 the run loses less. With its 95 % interval (Student's t over clusters). */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  readonly pValue: number;
  /** Corrected by Holm over all drops of the comparison. */
  readonly adjusted: number;
  readonly verdict: Verdict;
}

/** A run against the reference, on one set under one scenario. */
export interface ComparedScenario {
  readonly benchmark: string;
  readonly title: string;
  readonly scorer: string;
  readonly primary: string;
  readonly best: number;
  readonly scenario: string;
  readonly kind: ReturnType<typeof scenarioKind>;
  /** Name of the run. */
  readonly run: string;
  /** The scorer's figure of each, over all their own answers. */
  readonly reference: number;
  readonly value: number;
  /** a is the reference, b the run, on the questions that both answered. */
  readonly changes: Changes;
  /** p of the paired t, corrected by Holm over all rows of the comparison. */
  readonly adjusted: number;
  readonly verdict: Verdict;
  /** Of scenarios other than the clean one, where both have that. */
  readonly drop?: DropDifference;
}

/** The comparison of runs. */
export interface RunsComparison {
  readonly schemaVersion: 1;
  readonly reference: string;
  readonly runs: readonly { readonly name: string; readonly model: string; readonly settings: Readonly<Record<string, unknown>> }[];
  readonly rows: readonly ComparedScenario[];
  readonly warnings: readonly string[];
}

const verdictOf = (difference: number, adjusted: number): Verdict =>
  adjusted < ALPHA ? (difference > 0 ? 'better' : 'worse') : 'not significant';

type Drop = Omit<DropDifference, 'adjusted' | 'verdict'>;

/** Scores by question, of those that count. */
const scoresOf = (rows: readonly ScoredAnswer[]): Map<string, ScoredAnswer> =>
  new Map(rows.filter(({ correct }) => !Number.isNaN(correct)).map(row => [row.question.key, row]));

/** Drops of both runs over the questions that all four have. */
function dropOf(clean: readonly [ScoredScenario, ScoredScenario], shifted: readonly [ScoredScenario, ScoredScenario]): Drop | undefined {
  const [a0, b0, a1, b1] = [...clean, ...shifted].map(({ rows }) => scoresOf(rows));
  const keys = [...a0.keys()].filter(
    key => b0.has(key) && a1.has(key) && b1.has(key) && sameQuestion(a0.get(key)!.question, b0.get(key)!.question),
  );
  if (keys.length === 0) return undefined;
  const lost = (from: typeof a0, to: typeof a0): number[] => keys.map(key => from.get(key)!.correct - to.get(key)!.correct);
  const [reference, run] = [lost(a0, a1), lost(b0, b1)];
  const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
  const clusters = keys.map(key => a0.get(key)!.question.cluster);
  const { low, high, pValue } = pairedT(reference, run, { clusters });
  return { reference: mean(reference), run: mean(run), difference: mean(reference) - mean(run), low, high, pValue };
}

/** Sets that both runs have, asked and scored alike; of the others it says why they are not compared. */
function sharedSets(reference: ScoredRun, run: ScoredRun, warnings: string[]): [ScoredSet, ScoredSet][] {
  return reference.sets.flatMap((a): [ScoredSet, ScoredSet][] => {
    const b = run.sets.find(({ benchmark }) => benchmark === a.benchmark);
    if (!b) warnings.push(`${run.name} has no answers to ${a.benchmark}, so it is not compared on it.`);
    else if (reference.seed !== run.seed && a.hash !== b.hash) {
      warnings.push(
        `${a.benchmark} has other questions in ${run.name} (seed ${run.seed}) than in ${reference.name} (seed ${reference.seed}), so it is not compared.`,
      );
      return [];
    } else if (b.prompt !== a.prompt)
      warnings.push(`${a.benchmark} was asked with the prompt ${a.prompt} in ${reference.name} and ${b.prompt} in ${run.name}.`);
    return b ? [[a, b]] : [];
  });
}

/** The same name for the same shift: a suite of one's own may have changed between runs. */
const alike = (a: ScoredScenario, b: ScoredScenario): boolean =>
  a.scenario.name === b.scenario.name && scenarioKey(a.scenario) === scenarioKey(b.scenario);

type Row = Omit<ComparedScenario, 'adjusted' | 'verdict' | 'drop'> & { readonly drop?: Drop };

function rowsOf(reference: ScoredRun, run: ScoredRun, warnings: string[]): Row[] {
  return sharedSets(reference, run, warnings).flatMap(([a, b]) => {
    const cleanA = a.scenarios.find(s => scenarioKind(s.scenario) === 'clean');
    const cleanB = b.scenarios.find(s => scenarioKind(s.scenario) === 'clean');
    const lacking = a.scenarios.filter(own => !b.scenarios.some(s => alike(s, own))).map(own => own.scenario.name);
    if (lacking.length > 0)
      warnings.push(
        `${run.name} has no answers to ${a.benchmark} under ${lacking.slice(0, 3).join(', ')}${lacking.length > 3 ? ` and ${lacking.length - 3} further scenarios` : ''}.`,
      );
    return a.scenarios.flatMap((own): Row[] => {
      const other = b.scenarios.find(s => alike(s, own));
      if (!other) return [];
      const pairs = pairedScores(own.rows, other.rows);
      if (pairs.length === 0) {
        warnings.push(
          `${reference.name} and ${run.name} share no scored question of ${a.benchmark} under ${own.scenario.name}: were they asked the same set?`,
        );
        return [];
      }
      const counted = Math.max(own.rows.length, other.rows.length);
      if (pairs.length < counted)
        warnings.push(
          `${a.benchmark}, ${own.scenario.name}: ${counted - pairs.length} of ${counted} questions are not in both ${reference.name} and ${run.name} and are left out of the difference.`,
        );
      const drop = cleanA && cleanB && own !== cleanA ? dropOf([cleanA, cleanB], [own, other]) : undefined;
      return [
        {
          benchmark: a.benchmark,
          title: a.title,
          scorer: a.scorer,
          primary: a.primary,
          best: a.best,
          scenario: own.scenario.name,
          kind: scenarioKind(own.scenario),
          run: run.name,
          reference: own.score.metrics[a.primary],
          value: other.score.metrics[a.primary],
          changes: changesOf(pairs),
          ...(drop ? { drop } : {}),
        },
      ];
    });
  });
}

/**
 * Compares runs with the first one. Differences are on the questions that both answered, by the points that the reference's scorer gives.
 * @throws RangeError for fewer than two runs
 */
export function compareRuns(runs: readonly ScoredRun[]): RunsComparison {
  const [reference, ...others] = runs;
  if (others.length === 0) throw new RangeError('A comparison needs at least two runs.');
  const warnings: string[] = [];
  const rows = others.flatMap(run => rowsOf(reference, run, warnings));
  const adjusted = holm(rows.map(({ changes }) => changes.pValue));
  const drops = holm(rows.map(({ drop }) => drop?.pValue ?? Number.NaN));
  return {
    schemaVersion: 1,
    reference: reference.name,
    runs: runs.map(({ name, model, settings }) => ({ name, model, settings })),
    rows: rows.map(({ drop, ...row }, i) => ({
      ...row,
      adjusted: adjusted[i],
      verdict: verdictOf(row.changes.difference, adjusted[i]),
      ...(drop ? { drop: { ...drop, adjusted: drops[i], verdict: verdictOf(drop.difference, drops[i]) } } : {}),
    })),
    warnings: [...new Set(warnings)],
  };
}

/** @file From scored sets to the results of a run: changes against the clean set, worst cases, lines for the search. */
import { version } from '../../system/version.ts';
import { holm } from '../../tensor/statistics/holm.ts';
import type { ScoredAnswer } from '../scorers/scorer.ts';
import type { Unanswered } from './answer-sets.ts';
import { changesOf, pairedScores } from './changes.ts';
import type { RunRecord } from './folder.ts';
import type { LeftOut } from './load-sets.ts';
import {
  type AgainstClean,
  type AnswerLine,
  type EvaluationResults,
  RESULTS_SCHEMA_VERSION,
  type ScenarioResult,
  type SetResult,
  type WorstCase,
} from './results.ts';
import { scenarioKind } from './scenario.ts';
import type { ScoredSetOfRun } from './score-run.ts';

/** Worst cases of a set, and scenarios of each that are shown. */
const WORST = { cases: 8, scenarios: 3 };

/** Right: at least half of the points. */
const isRight = (correct: number): boolean => correct >= 0.5;

/** The set's clean scenario, where it was asked. */
const cleanOf = ({ scenarios }: ScoredSetOfRun) => scenarios.find(({ scenario }) => scenarioKind(scenario) === 'clean');

/** Changes of every scenario against the clean one, corrected over the set. */
function againstClean(set: ScoredSetOfRun): (AgainstClean | undefined)[] {
  const clean = cleanOf(set);
  const changes = set.scenarios.map(one => {
    if (!clean || one === clean) return undefined;
    const pairs = pairedScores(clean.rows, one.rows);
    return pairs.length > 0 ? changesOf(pairs) : undefined;
  });
  const adjusted = holm(changes.map(one => one?.pValue ?? Number.NaN));
  return changes.map((one, i) => one && { ...one, adjusted: adjusted[i] });
}

function setResult(set: ScoredSetOfRun, unanswered: readonly Unanswered[], warnings: readonly string[]): SetResult {
  const changes = againstClean(set);
  const scenarios = set.scenarios.map(({ scenario, score, others }, i): ScenarioResult => {
    const open = unanswered.filter(one => one.benchmark === set.benchmark && one.scenario === scenario.name).length;
    return {
      scenario,
      kind: scenarioKind(scenario),
      score,
      others,
      ...(changes[i] ? { againstClean: changes[i] } : {}),
      unanswered: open,
    };
  });
  const { benchmark, title, scorer, primary, best, prompt, questions } = set;
  const clusters = new Set(questions.map(({ cluster }) => cluster)).size;
  return { benchmark, title, scorer, primary, best, prompt, questions: questions.length, clusters, scenarios, warnings };
}

/** Questions that are right clean and wrong under most scenarios; in the order of the set where they are equal. */
function worstOf(set: ScoredSetOfRun): WorstCase[] {
  const clean = cleanOf(set);
  const shifted = set.scenarios.filter(one => one !== clean);
  const rows = shifted.map(one => new Map(one.rows.map(row => [row.question.key, row])));
  const cleanRows = new Map(clean?.rows.map(row => [row.question.key, row]));
  const cases = set.questions.flatMap((question): WorstCase[] => {
    const before = cleanRows.get(question.key);
    if (shifted.length > 0 && before && !isRight(before.correct)) return [];
    if (shifted.length === 0 && (!before || isRight(before.correct) || Number.isNaN(before.correct))) return [];
    const wrong = shifted.flatMap(({ scenario }, i) => {
      const row = rows[i].get(question.key);
      return row && !Number.isNaN(row.correct) && !isRight(row.correct) ? [{ scenario: scenario.name, raw: row.raw }] : [];
    });
    if (shifted.length > 0 && wrong.length === 0) return [];
    return [
      {
        benchmark: set.benchmark,
        key: question.key,
        text: question.text,
        ...(question.options ? { options: question.options } : {}),
        right: question.answers,
        ...(before ? { clean: { raw: before.raw, correct: before.correct } } : {}),
        wrong: wrong.slice(0, WORST.scenarios),
        wrongUnder: wrong.length,
        scenarios: shifted.length,
      },
    ];
  });
  return cases.sort((a, b) => b.wrongUnder - a.wrongUnder).slice(0, WORST.cases);
}

/** What `assembleRun` puts together. */
export interface RunParts {
  readonly run: Pick<RunRecord, 'model' | 'settings' | 'seed' | 'warnings' | 'sets'>;
  readonly sets: readonly ScoredSetOfRun[];
  readonly leftOut: readonly LeftOut[];
  readonly unanswered: readonly Unanswered[];
}

/** The results of a run. */
export function assembleRun({ run, sets, leftOut, unanswered }: RunParts): EvaluationResults {
  const warningsOf = (name: string): readonly string[] => run.sets.find(({ benchmark }) => benchmark === name)?.warnings ?? [];
  return {
    schemaVersion: RESULTS_SCHEMA_VERSION,
    narrows: version,
    model: run.model,
    settings: run.settings,
    seed: run.seed,
    sets: sets.map(set => setResult(set, unanswered, warningsOf(set.benchmark))),
    leftOut,
    unanswered,
    worst: sets.flatMap(worstOf),
    warnings: run.warnings,
  };
}

/** Every answer, set by set and scenario by scenario, as the report's search shows it. */
export function* answerLines(sets: readonly ScoredSetOfRun[]): Generator<AnswerLine> {
  for (const { benchmark, scenarios } of sets)
    for (const { scenario, rows } of scenarios) for (const row of rows) yield lineOf(benchmark, scenario.name, row);
}

function lineOf(benchmark: string, scenario: string, { question, raw, value, correct }: ScoredAnswer): AnswerLine {
  return {
    benchmark,
    scenario,
    key: question.key,
    text: question.text,
    ...(question.options ? { options: question.options } : {}),
    right: question.answers,
    raw,
    value,
    correct,
    ...(question.category === undefined ? {} : { category: question.category }),
  };
}

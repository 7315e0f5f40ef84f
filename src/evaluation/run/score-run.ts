/** @file Scores what a run answered: answers by the keys of their questions, every scenario by every scorer that is asked for. */
import type { AnswerRow } from '../../generation/answers-file.ts';
import { readFile } from '../../node/disk.ts';
import { NarrowsError } from '../../system/errors.ts';
import { parseExact } from '../../system/exact-json.ts';
import type { Benchmark } from '../benchmarks/benchmark.ts';
import type { Question } from '../benchmarks/question.ts';
import type { Joined } from '../scorers/join.ts';
import { findScorer, scorers } from '../scorers/registry.ts';
import type { Score } from '../scorers/score.ts';
import { scoreJoined } from '../scorers/score-answers.ts';
import type { Scorer } from '../scorers/scorer.ts';
import type { ScoredScenario, ScoredSet } from './compare-runs.ts';
import { answersPath, hashOf } from './folder.ts';
import type { Scenario } from './scenario.ts';

/**
 * Answers of a scenario by their questions' keys; none where the file is not there yet. A last line that was cut short is passed over: a run
 * may still be writing it.
 * @throws NarrowsError naming file and line for a row that is no answer of a run
 */
export async function readAnswers(output: string, benchmark: string, scenario: string): Promise<Map<string, string>> {
  const path = answersPath(output, benchmark, scenario);
  const text = await readFile(path, 'utf8').catch(error => {
    if ((error as { code?: string }).code === 'ENOENT') return '';
    throw error;
  });
  const answers = new Map<string, string>();
  for (const [i, line] of text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .entries()) {
    if (line === '') continue;
    let row: AnswerRow | undefined;
    try {
      row = parseExact(line) as AnswerRow;
    } catch {
      row = undefined;
    }
    const key = row?.metadata?.key;
    if (typeof key !== 'string' || typeof row?.text !== 'string')
      throw new NarrowsError(`${path}, line ${i + 1} is no answer of a run; delete the line and run again.`);
    answers.set(key, row.text);
  }
  return answers;
}

/** A set of a run with its questions, ready to be scored. */
export interface AnsweredSet {
  readonly benchmark: Pick<Benchmark, 'name' | 'title' | 'scorers'>;
  readonly prompt: string;
  readonly questions: readonly Question[];
  readonly scenarios: readonly Scenario[];
}

/** How a run is scored. */
export interface ScoreRunOptions {
  /** Names of scorers as `--scorer` takes them: the first one leads; `all` means all of the set. By default the set's first. */
  readonly scorers?: readonly string[];
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** A scenario, scored by the set's leading scorer and by others. */
export interface ScoredScenarioOfRun extends ScoredScenario {
  readonly others: Readonly<Record<string, Score>>;
}

/** A set, scored. */
export interface ScoredSetOfRun extends ScoredSet {
  readonly questions: readonly Question[];
  readonly scenarios: readonly ScoredScenarioOfRun[];
}

/** Answers by key as `scoreJoined` takes them: nothing is unknown or double, since rows of a run name their questions. */
function joinedByKey(questions: readonly Question[], answers: ReadonlyMap<string, string>): Joined {
  const pairs = questions.flatMap((question, i) => {
    const text = answers.get(question.key);
    return text === undefined ? [] : [{ question, answer: { id: question.id, text, where: `question ${i + 1}` } }];
  });
  return { pairs, missing: questions.filter(({ key }) => !answers.has(key)), duplicates: 0, unknown: 0, warnings: [] };
}

/** The scorers that are wanted of a set. @throws NarrowsError (usage) as `findScorer` */
function scorersOf(benchmark: AnsweredSet['benchmark'], wanted: readonly string[] | undefined): Scorer[] {
  if (!wanted) return [findScorer(undefined, benchmark)];
  const names = wanted.includes('all') ? benchmark.scorers.filter(name => name in scorers) : wanted;
  return [...new Set(names)].map(name => findScorer(name, benchmark));
}

/**
 * Scores the answers of a set under all its scenarios. @throws NarrowsError as `readAnswers`, `findScorer` and `scoreJoined`
 */
export async function scoreSet(output: string, set: AnsweredSet, options: ScoreRunOptions): Promise<ScoredSetOfRun> {
  const { benchmark, questions, scenarios, prompt } = set;
  const [leading, ...more] = scorersOf(benchmark, options.scorers);
  const scored: ScoredScenarioOfRun[] = [];
  for (const scenario of scenarios) {
    options.signal?.throwIfAborted();
    const joined = joinedByKey(questions, await readAnswers(output, benchmark.name, scenario.name));
    const { score, rows } = scoreJoined(benchmark, questions, joined, leading, { seed: options.seed });
    const others = more.map(
      scorer => [scorer.name, scoreJoined(benchmark, questions, joined, scorer, { seed: options.seed }).score] as const,
    );
    scored.push({ scenario, score, rows, others: Object.fromEntries(others) });
  }
  const { name: scorer, primary, best } = leading;
  return {
    benchmark: benchmark.name,
    title: benchmark.title,
    scorer,
    primary,
    best,
    prompt,
    hash: hashOf(questions),
    questions,
    scenarios: scored,
  };
}

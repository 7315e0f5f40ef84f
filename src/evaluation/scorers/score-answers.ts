/** @file Answers scored: joined to their questions, read, summed up, with an interval over clusters. */

import { stripThinking } from '../../generation/thinking.ts';
import { NarrowsError } from '../../system/errors.ts';
import { RandomStream } from '../../tensor/random.ts';
import { sumsBootstrap } from '../../tensor/statistics/sums-bootstrap.ts';
import type { Benchmark } from '../benchmarks/benchmark.ts';
import type { AnswerRecord, Question } from '../benchmarks/question.ts';
import { type Joined, joinAnswers } from './join.ts';
import { joinByPosition } from './position-join.ts';
import type { Score } from './score.ts';
import type { Figures, ScoredAnswer, Scorer, Summary } from './scorer.ts';
import { grouped } from './summaries/groups.ts';

/** What scoring takes besides questions and answers. */
export interface ScoreOptions {
  /** Of the interval's resamples. Default 0. */
  readonly seed?: number;
  /** Default 2000; 0 leaves the interval out. */
  readonly resamples?: number;
  /** `position` only for comparing with official figures that were made so. */
  readonly join?: 'key' | 'position';
}

/** A score with every answer that it stands on. */
export interface ScoredAnswers {
  readonly score: Score;
  /** In the order of the questions. */
  readonly rows: readonly ScoredAnswer[];
}

/** Reads answers by a scorer. */
export const readAnswersBy = (scorer: Scorer, pairs: Joined['pairs']): ScoredAnswer[] =>
  pairs.map(({ question, answer }) => {
    const stripped = stripThinking(answer.text).text;
    return { question, raw: answer.text, stripped, ...scorer.read(stripped, question) };
  });

const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

/** Names of figures that are not defined, with where they stand. */
function undefinedFigures({ metrics, byCategory = {}, bySplit = {} }: Summary): string[] {
  const names = (figures: Figures): string[] => Object.keys(figures).filter(key => Number.isNaN(figures[key]));
  const own = names(metrics);
  // What a split lacks, a category of the same name lacks, too.
  const groups = Object.entries({ ...byCategory, ...bySplit }).flatMap(([group, figures]) =>
    names(figures).map(name => `${name} of ${group}`),
  );
  return [...own, ...groups];
}

function warningsOf(scorer: Scorer, joined: Joined, rows: readonly ScoredAnswer[], summary: Summary): string[] {
  const { missing, warnings } = joined;
  const out = [...warnings];
  if (missing.length > 0)
    out.push(
      `${plural(missing.length, 'question')} without an answer (${missing
        .slice(0, 3)
        .map(one => one.key)
        .join(
          ', ',
        )}${missing.length > 3 ? ', …' : ''}): ${scorer.missing === 'wrong' ? 'counted as wrong' : 'left out'}, as ${scorer.name} has it.`,
    );
  const thoughts = rows.filter(row => row.raw !== row.stripped).length;
  if (thoughts > 0) {
    const cut = rows.filter(row => row.stripped === '' && row.raw !== '').length;
    out.push(
      `${plural(thoughts, 'answer')} held <think>…</think>, which was taken away${cut > 0 ? ` (${cut} of them never came to an answer)` : ''}; an official program reads the thinking, too.`,
    );
  }
  const undefinedNames = undefinedFigures(summary);
  if (undefinedNames.length > 0)
    out.push(
      `Not defined, since there is nothing to divide by: ${undefinedNames.slice(0, 6).join(', ')}${undefinedNames.length > 6 ? ' and others' : ''}; null stands there.`,
    );
  return [...out, ...(summary.warnings ?? [])];
}

/** Questions that a scorer can say something of, and what is to be said of the others. */
function countable(scorer: Scorer, questions: readonly Question[]): { readonly counted: readonly Question[]; readonly warnings: string[] } {
  const foreign = questions.find(question => !scorer.kinds.includes(question.kind));
  if (foreign)
    throw new NarrowsError(
      `${scorer.name} scores answers of kind ${scorer.kinds.join(', ')}, but question ${foreign.key} is of kind ${foreign.kind}; choose another scorer.`,
      { kind: 'usage' },
    );
  if (scorer.unlabelled) return { counted: questions, warnings: [] };
  const counted = questions.filter(question => question.answers.length > 0);
  const left = questions.length - counted.length;
  if (questions.length > 0 && counted.length === 0)
    throw new NarrowsError(`No question of the set has a right answer (a test set without labels?): there is nothing to score against.`);
  return { counted, warnings: left > 0 ? [`${plural(left, 'question')} without a right answer: they count nowhere.`] : [] };
}

/** Whether a file of questions was given for answers: most texts then are the questions' own words. */
function refuseQuestions(rows: readonly ScoredAnswer[]): void {
  const same = rows.filter(({ raw, question }) => question.text.length > 8 && raw.trim().startsWith(question.text.trim()));
  if (same.length > rows.length / 2)
    throw new NarrowsError(
      `The answers are the questions themselves (question ${same[0].question.key}: "${same[0].raw.slice(0, 80)}"); give the file that the model's answers stand in.`,
    );
}

/** The 95 % interval of the primary figure: clusters are drawn whole. */
function intervalOf(
  scorer: Scorer,
  data: { readonly questions: readonly Question[]; readonly rows: readonly ScoredAnswer[]; readonly missing: readonly Question[] },
  { seed = 0, resamples = 2000 }: ScoreOptions,
): Score['interval'] {
  const tally = scorer.tally(data.questions);
  const clusters = [...grouped(data.rows, data.missing, question => question.cluster).values()].map(({ rows, missing }) =>
    tally.sums(rows, missing),
  );
  const none = { low: Number.NaN, high: Number.NaN };
  const { low, high } =
    resamples === 0 ? none : sumsBootstrap(clusters, tally.figure, { random: new RandomStream(seed, 'evaluation.score'), resamples });
  return { metric: scorer.primary, low, high, clusters: clusters.length };
}

/**
 * Scores answers.
 * @param questions of the set, all that were asked @param answers in any order
 * @throws NarrowsError as `joinAnswers`, for questions of a kind that the scorer cannot score, and for a file of questions given for answers
 */
export function scoreAnswers(
  benchmark: Pick<Benchmark, 'name'>,
  questions: readonly Question[],
  answers: readonly AnswerRecord[],
  scorer: Scorer,
  options: ScoreOptions = {},
): ScoredAnswers {
  const joined = (options.join === 'position' ? joinByPosition : joinAnswers)(questions, answers);
  return scoreJoined(benchmark, questions, joined, scorer, options);
}

/** Scores answers that were joined before: several scorers of one set join once. @throws NarrowsError as `scoreAnswers` */
export function scoreJoined(
  benchmark: Pick<Benchmark, 'name'>,
  questions: readonly Question[],
  joined: Joined,
  scorer: Scorer,
  options: ScoreOptions = {},
): ScoredAnswers {
  const { counted, warnings } = countable(scorer, questions);
  const counts = new Set(counted);
  const rows = readAnswersBy(
    scorer,
    joined.pairs.filter(({ question }) => counts.has(question)),
  );
  refuseQuestions(rows);
  const unanswered = joined.missing.filter(question => counts.has(question));
  const missing = scorer.missing === 'wrong' ? unanswered : [];
  const summary = scorer.summarise(rows, missing);
  const score: Score = {
    benchmark: benchmark.name,
    scorer: scorer.name,
    n: rows.length + missing.length,
    missing: unanswered.length,
    duplicates: joined.duplicates,
    unknown: joined.unknown,
    metrics: summary.metrics,
    byCategory: summary.byCategory ?? {},
    ...(summary.bySplit ? { bySplit: summary.bySplit } : {}),
    interval: intervalOf(scorer, { questions: counted, rows, missing }, options),
    warnings: [...warnings, ...warningsOf(scorer, { ...joined, missing: unanswered }, rows, summary)],
  };
  return { score, rows };
}

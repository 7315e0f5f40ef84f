/** @file The half of `narrows evaluate` that scores answers which exist: no model is needed. */
import { join } from 'node:path';
import type { Benchmark } from '../../evaluation/benchmarks/benchmark.ts';
import type { AnswerRecord } from '../../evaluation/benchmarks/question.ts';
import { findBenchmark } from '../../evaluation/benchmarks/registry.ts';
import { readAnswers } from '../../evaluation/scorers/answers/read-answers.ts';
import { joinAnswers } from '../../evaluation/scorers/join.ts';
import { joinByPosition } from '../../evaluation/scorers/position-join.ts';
import { findScorer, scorers } from '../../evaluation/scorers/registry.ts';
import type { Score } from '../../evaluation/scorers/score.ts';
import { type ScoredAnswers, scoreJoined } from '../../evaluation/scorers/score-answers.ts';
import type { Scorer } from '../../evaluation/scorers/scorer.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { lockOutput } from '../../node/output-lock.ts';
import { exactJson } from '../../system/exact-json.ts';
import type { Context } from '../command.ts';
import { scoresTable, scoreTable } from './score-table.ts';

/** Flags of scoring. */
export interface ScoreFlags {
  readonly benchmark: string;
  /** The set's folder, file or name on the hub; none for sets that are drawn. */
  readonly data?: string;
  /** File or folder of answers. */
  readonly answers: string;
  /** `all`, or names as `findScorer` takes them; the set's first by default. */
  readonly scorers?: readonly string[];
  readonly split?: string;
  readonly limit?: number;
  readonly join?: 'key' | 'position';
  /** Keys of questions and what they hold, for sets of one's own. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Where `score.json` and `answers.jsonl` go. */
  readonly output?: string;
}

/** @param ofSet the scorer that fits the set as it was loaded @throws NarrowsError (usage) as `findScorer` */
function chosenScorers(names: readonly string[] | undefined, benchmark: Benchmark, ofSet?: string): Scorer[] {
  if (!names?.includes('all')) return (names ?? [ofSet]).map(name => findScorer(name, benchmark));
  const known = benchmark.scorers.filter(name => name in scorers);
  return known.length > 0 ? known.map(name => scorers[name]) : [findScorer(undefined, benchmark)];
}

/** In the set's own form where it has one. */
const answersOf = async (benchmark: Benchmark, path: string): Promise<readonly AnswerRecord[]> =>
  (await benchmark.readAnswers?.(path)) ?? (await readAnswers(path));

/** One row of `answers.jsonl`: as the model gave it, what was read, and whether it is right. */
const lineOf = ({ question, raw, stripped, value, correct, guessed, parts }: ScoredAnswers['rows'][number]): string =>
  `${exactJson({
    question_id: question.id,
    key: question.key,
    category: question.category,
    split: question.split,
    text: raw,
    ...(stripped === raw ? {} : { stripped }),
    parsed: value,
    right: question.answers,
    correct,
    ...(guessed ? { guessed } : {}),
    ...(parts ? { parts } : {}),
  })}\n`;

/** Writes `score.json`, and the answers of each scorer. */
async function writeScores(output: string, results: readonly ScoredAnswers[]): Promise<void> {
  await using _lock = await lockOutput(output);
  const scores = results.map(({ score }) => score);
  await writeFileAtomic(join(output, 'score.json'), `${exactJson(scores.length === 1 ? scores[0] : scores, 1)}\n`);
  for (const { score, rows } of results) {
    const name = results.length === 1 ? 'answers.jsonl' : `answers-${score.scorer}.jsonl`;
    await writeFileAtomic(join(output, name), new TextEncoder().encode(rows.map(lineOf).join('')));
  }
}

function print(context: Context, benchmark: Benchmark, scores: readonly Score[]): void {
  if (context.json) context.print(exactJson(scores.length === 1 ? scores[0] : scores));
  else if (scores.length === 1) context.print(scoreTable(benchmark.title, scores[0], context.columns));
  else context.print(scoresTable(benchmark.title, scores, context.columns));
}

/**
 * Scores answers and prints the score.
 * @throws NarrowsError for sets, answers and scorers that cannot be used, in one sentence
 */
export async function scoreAnswersCommand(context: Context, flags: ScoreFlags): Promise<void> {
  const benchmark = findBenchmark(flags.benchmark);
  // Before anything is read: a mistyped name should not cost the time of loading.
  chosenScorers(flags.scorers, benchmark);
  const { data, split, limit, fields } = flags;
  const set = await benchmark.load({ data, split, limit, fields, answersOnly: true, seed: context.seed, signal: context.signal });
  const chosen = chosenScorers(flags.scorers, benchmark, set.scorer);
  const answers = await answersOf(benchmark, flags.answers);
  context.signal.throwIfAborted();
  const joined = (flags.join === 'position' ? joinByPosition : joinAnswers)(set.questions, answers);
  const results = chosen.map(scorer => scoreJoined(benchmark, set.questions, joined, scorer, { seed: context.seed }));
  // What is said of the set stands in the result, too.
  const said = results.map(({ score, rows }) => ({ score: { ...score, warnings: [...set.warnings, ...score.warnings] }, rows }));
  for (const warning of new Set(said.flatMap(({ score }) => score.warnings))) context.log.warn(warning);
  if (flags.output !== undefined) await writeScores(flags.output, said);
  print(
    context,
    benchmark,
    said.map(({ score }) => score),
  );
}

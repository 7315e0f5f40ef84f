/** @file MME's score: in each category 100 × accuracy + 100 × the share of pictures whose two questions are both right. */
import type { Question } from '../../benchmarks/question.ts';
import type { Figures, ScoredAnswer, Scorer } from '../scorer.ts';
import { rightIf } from '../summaries/accuracy.ts';
import { byGroup, categoryOf, distinct, type Group, grouped, meanOf, ratio } from '../summaries/groups.ts';

const COGNITION = new Set(['commonsense_reasoning', 'numerical_calculation', 'text_translation', 'code_reasoning']);

/** Sums of a category: right, questions, pairs that are right, pairs. */
type Sums = [right: number, questions: number, pairsRight: number, pairs: number];
const WIDTH = 4;

/** Questions of one picture of one category are a pair. */
const pairOf = ({ category, id }: Question): string => `${category}\0${id}`;

function sumsOf({ rows, missing }: Group): Sums {
  const right = (one: ScoredAnswer): boolean => one.correct === 1;
  const pairs = [...grouped(rows, missing, pairOf).values()];
  return [
    rows.filter(right).length,
    rows.length + missing.length,
    pairs.filter(pair => pair.missing.length === 0 && pair.rows.every(right)).length,
    pairs.length,
  ];
}

const scoreOf = (sums: ArrayLike<number>, at = 0): number => 100 * ratio(sums[at], sums[at + 1]) + 100 * ratio(sums[at + 2], sums[at + 3]);

/** The sum over categories, NaN of none. */
const add = (scores: readonly number[]): number => (scores.length === 0 ? Number.NaN : scores.reduce((sum, score) => sum + score, 0));

/** A scorer of MME's by a parser. @param cognition what the program calls the four categories of cognition */
export function mmeScorer(
  entry: Pick<Scorer, 'name' | 'summary' | 'source'> & {
    readonly parse: (answer: string) => 'yes' | 'no' | null;
    readonly cognition?: string;
  },
): Scorer {
  const { parse, cognition, ...rest } = entry;
  return {
    ...rest,
    kinds: ['yes-no'],
    primary: 'total',
    best: 2800,
    missing: 'wrong',
    read: (answer, question) => {
      const value = parse(answer);
      return { value, correct: rightIf(value, question) };
    },
    summarise(rows, missing) {
      const byCategory = byGroup(rows, missing, categoryOf, (group): Figures => {
        const sums = sumsOf(group);
        return { score: scoreOf(sums), accuracy: ratio(sums[0], sums[1]), accuracy_plus: ratio(sums[2], sums[3]), n: sums[1] };
      });
      const scores = (wanted: boolean): number[] =>
        Object.entries(byCategory).flatMap(([category, { score }]) => (COGNITION.has(category) === wanted ? [score] : []));
      const [right, questions] = sumsOf({ rows: [...rows], missing: [...missing] });
      const odd = [...grouped(rows, missing, pairOf).values()].filter(pair => pair.rows.length + pair.missing.length !== 2).length;
      const reasoning = add(scores(true));
      return {
        metrics: {
          perception: add(scores(false)),
          cognition: reasoning,
          ...(cognition ? { [cognition]: reasoning } : {}),
          total: add([...scores(false), ...scores(true)]),
          accuracy: ratio(right, questions),
          unread: ratio(rows.filter(row => row.value === null).length, rows.length),
        },
        byCategory,
        ...(odd > 0
          ? {
              warnings: [
                `${odd} of MME's pictures do not have two questions here: such a picture counts as right where all of its questions are.`,
              ],
            }
          : {}),
      };
    },
    tally(questions) {
      const categories = distinct(questions, categoryOf);
      return {
        width: categories.length * WIDTH,
        sums(rows, missing) {
          const sums = new Float64Array(categories.length * WIDTH);
          for (const [category, group] of grouped(rows, missing, categoryOf)) sums.set(sumsOf(group), categories.indexOf(category) * WIDTH);
          return sums;
        },
        // In a small set a resample may lack a category: the others then stand for it.
        figure: sums => {
          const drawn = categories.flatMap((_, i) => (sums[i * WIDTH + 1] > 0 ? [scoreOf(sums, i * WIDTH)] : []));
          return categories.length * meanOf(drawn);
        },
      };
    },
  };
}

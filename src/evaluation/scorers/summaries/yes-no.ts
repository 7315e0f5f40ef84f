/** @file Counts of yes/no answers by label and reading, and scorers made of them. */
import type { Question } from '../../benchmarks/question.ts';
import type { Figures, ScoredAnswer, Scorer } from '../scorer.ts';
import { rightIf } from './accuracy.ts';
import { byGroup, categoryOf, distinct, type Group, meanOf, splitOf } from './groups.ts';

/** How many questions by label (y, n) and reading (y, n, 0 for neither or no answer): `ny` is a no that was answered with yes. */
export interface YesNoCounts {
  readonly yy: number;
  readonly yn: number;
  readonly y0: number;
  readonly ny: number;
  readonly nn: number;
  readonly n0: number;
}

const WIDTH = 6;
const SPLIT_OF_ALL = '';

function countInto(sums: Float64Array, at: number, rows: readonly ScoredAnswer[], missing: readonly Question[]): void {
  const start = (question: Question): number => at + (question.answers[0] === 'yes' ? 0 : 3);
  for (const { value, question } of rows) sums[start(question) + (value === 'yes' ? 0 : value === 'no' ? 1 : 2)]++;
  for (const question of missing) sums[start(question) + 2]++;
}

const countsAt = (sums: ArrayLike<number>, at: number): YesNoCounts => ({
  yy: sums[at],
  yn: sums[at + 1],
  y0: sums[at + 2],
  ny: sums[at + 3],
  nn: sums[at + 4],
  n0: sums[at + 5],
});

/** Counts of a group. */
export function yesNoCounts({ rows, missing }: Group): YesNoCounts {
  const sums = new Float64Array(WIDTH);
  countInto(sums, 0, rows, missing);
  return countsAt(sums, 0);
}

/** What a yes/no scorer is made of. */
export interface YesNoRule extends Pick<Scorer, 'name' | 'summary' | 'source' | 'missing' | 'best'> {
  readonly parse: (answer: string) => 'yes' | 'no' | null;
  readonly figures: (counts: YesNoCounts) => Figures;
  /** The key of `figures` that is primary, or is averaged over splits. */
  readonly key: string;
  /** The name of the average over splits: with it the primary figure is that average. */
  readonly mean?: string;
}

/** A scorer of yes/no answers whose figures are functions of counts, for all questions and for each split. */
export function yesNoScorer({ parse, figures, key, mean, ...entry }: YesNoRule): Scorer {
  const primaryOf = (bySplit: readonly YesNoCounts[]): number => meanOf(bySplit.map(counts => figures(counts)[key]));
  const of = (group: Group): Figures => figures(yesNoCounts(group));
  return {
    ...entry,
    kinds: ['yes-no'],
    primary: mean ?? key,
    read: (answer, question) => {
      const value = parse(answer);
      return { value, correct: rightIf(value, question) };
    },
    summarise(rows, missing) {
      const bySplit = byGroup(rows, missing, splitOf, of);
      const splits = Object.values(bySplit);
      const whole = of({ rows: [...rows], missing: [...missing] });
      return {
        metrics: { ...whole, ...(mean ? { [mean]: splits.length > 0 ? meanOf(splits.map(split => split[key])) : whole[key] } : {}) },
        byCategory: byGroup(rows, missing, categoryOf, of),
        ...(splits.length > 0 ? { bySplit } : {}),
      };
    },
    tally(questions) {
      const splits = mean ? distinct(questions, splitOf) : [];
      const place = new Map((splits.length > 0 ? splits : [SPLIT_OF_ALL]).map((split, i) => [split, i * WIDTH]));
      const placeOf = (question: Question): number | undefined => place.get(splits.length > 0 ? (question.split ?? '') : SPLIT_OF_ALL);
      return {
        width: place.size * WIDTH,
        sums(rows, missing) {
          const sums = new Float64Array(place.size * WIDTH);
          for (const row of rows) countInto(sums, placeOf(row.question) ?? Number.NaN, [row], []);
          for (const question of missing) countInto(sums, placeOf(question) ?? Number.NaN, [], [question]);
          return sums;
        },
        figure: sums => primaryOf([...place.values()].map(at => countsAt(sums, at))),
      };
    },
  };
}

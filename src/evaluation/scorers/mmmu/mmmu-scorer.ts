/** @file MMMU's figures: the share of right answers over all, by domain and by subject, with the guesses of the program counted. */
import type { Question } from '../../benchmarks/question.ts';
import type { Options } from '../parse/choice-options.ts';
import type { Figures, Reading, Scorer } from '../scorer.ts';
import { rightIf, rightOf, shareTally } from '../summaries/accuracy.ts';
import { byGroup, categoryOf, type Group, ratio } from '../summaries/groups.ts';
import { domainOf } from './subjects.ts';

/** What a scorer of MMMU is made of. */
export interface MmmuRule extends Pick<Scorer, 'name' | 'summary' | 'source' | 'missing'> {
  /** The option of an answer; null where none could be read. */
  readonly choice: (answer: string, options: Options) => string | null;
  /** The program guesses at random where no option could be read. */
  readonly guesses: boolean;
  /** The reading of an answer to an open question. */
  readonly open: (answer: string, question: Question) => Reading;
}

/** The luck that is to be expected of a guess. */
const luckOf = (question: Question): number => ratio(1, question.options?.length ?? 0);

const countOf = ({ rows, missing }: Group): number => rows.length + missing.length;
const accuracyOf = (group: Group): number => ratio(rightOf(group.rows), countOf(group));

/**
 * A scorer of MMMU's. A guess is counted as wrong in `overall`, since a figure that hangs on a random seed is none; what it is worth on average
 * stands in `overall_with_expected_luck`.
 */
export function mmmuScorer({ choice, guesses, open, ...entry }: MmmuRule): Scorer {
  return {
    ...entry,
    kinds: ['choice', 'short'],
    primary: 'overall',
    best: 1,
    read(answer, question) {
      if (question.kind !== 'choice') return open(answer, question);
      const value = choice(answer, question.options ?? []);
      const correct = rightIf(value, question);
      return value === null && guesses ? { value, correct, guessed: true, parts: { luck: luckOf(question) } } : { value, correct };
    },
    summarise(rows, missing) {
      const luck = rows.reduce((sum, row) => sum + (row.parts?.luck ?? 0), 0);
      const whole = { rows: [...rows], missing: [...missing] };
      const n = countOf(whole);
      const figures = (count: 'num' | 'num_example') => (group: Group) => {
        const acc = accuracyOf(group);
        return { accuracy: acc, acc, [count]: countOf(group) } as Figures;
      };
      return {
        metrics: {
          overall: accuracyOf(whole),
          accuracy: accuracyOf(whole),
          ...(guesses
            ? { guessed: rows.filter(row => row.guessed).length, overall_with_expected_luck: ratio(rightOf(rows) + luck, n) }
            : { unread: rows.filter(row => row.value === null).length }),
          num: n,
        },
        byCategory: {
          ...byGroup(rows, missing, question => domainOf(question.category ?? ''), figures('num')),
          ...byGroup(rows, missing, categoryOf, figures('num_example')),
        },
      };
    },
    tally: () => shareTally(),
  };
}

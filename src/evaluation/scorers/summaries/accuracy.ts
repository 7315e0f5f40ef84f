/** @file Scorers whose figure is the share of right answers. */
import type { Question } from '../../benchmarks/question.ts';
import type { Figures, ScoredAnswer, Scorer, Summary, Tally } from '../scorer.ts';
import { byGroup, categoryOf, type Group, ratio, splitOf } from './groups.ts';

/** Sum of what is right. NaN counts nowhere. */
export const rightOf = (rows: readonly ScoredAnswer[]): number =>
  rows.reduce((sum, { correct }) => sum + (Number.isNaN(correct) ? 0 : correct), 0);

/** How many answers count. */
export const countOf = (rows: readonly ScoredAnswer[]): number => rows.filter(({ correct }) => !Number.isNaN(correct)).length;

/** Share of right answers; unanswered questions that are handed over are wrong. */
export const accuracyOf = ({ rows, missing }: Group): number => ratio(rightOf(rows), countOf(rows) + missing.length);

/** The tally of a share: right, count. */
export const shareTally = (scale = 1): Tally => ({
  width: 2,
  sums: (rows, missing) => [rightOf(rows), countOf(rows) + missing.length],
  figure: sums => scale * ratio(sums[0], sums[1]),
});

/** Right answers as a share, and the share of answers that nothing could be read from. */
export function accuracyFigures({ rows, missing }: Group): Figures {
  return {
    accuracy: accuracyOf({ rows, missing }),
    unread: ratio(rows.filter(row => row.value === null).length, rows.length),
    n: countOf(rows) + missing.length,
  };
}

/** The figures of the whole, and of categories and splits where there are any. */
export function summariseBy(rows: readonly ScoredAnswer[], missing: readonly Question[], figures: (group: Group) => Figures): Summary {
  const by = (keyOf: (question: Question) => string | undefined): Record<string, Figures> => byGroup(rows, missing, keyOf, figures);
  const bySplit = by(splitOf);
  return {
    metrics: figures({ rows: [...rows], missing: [...missing] }),
    byCategory: by(categoryOf),
    ...(Object.keys(bySplit).length > 0 ? { bySplit } : {}),
  };
}

/** A scorer whose primary figure is `accuracy`. */
export const accuracyScorer = (entry: Pick<Scorer, 'name' | 'summary' | 'source' | 'kinds' | 'missing' | 'read'>): Scorer => ({
  ...entry,
  primary: 'accuracy',
  best: 1,
  summarise: (rows, missing) => summariseBy(rows, missing, accuracyFigures),
  tally: () => shareTally(),
});

/** 1 where the value is one of the right answers, 0 where it is another or none. */
export const rightIf = (value: string | null, question: Question): number => (value !== null && question.answers.includes(value) ? 1 : 0);

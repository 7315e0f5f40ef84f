/** @file `mmstar@lmms-eval`: lmms-eval's MMStar task. */
import { parseLmmsEvalChoice } from '../parse/lmms-eval-choice.ts';
import type { Scorer } from '../scorer.ts';
import { accuracyFigures, accuracyOf, countOf, rightIf, rightOf } from '../summaries/accuracy.ts';
import { byGroup, categoryOf, distinct, type Group, grouped, meanOf, ratio } from '../summaries/groups.ts';
import { secondLevelOf } from './second-level.ts';

/** A question without a second level is a group of the whole. */
const groupOf = (question: Parameters<typeof secondLevelOf>[0]): string => secondLevelOf(question) ?? '';

/** The mean over categories of the second level. */
const averageOf = ({ rows, missing }: Group): number => meanOf([...grouped(rows, missing, groupOf).values()].map(accuracyOf));

/** lmms-eval's scorer: its average is the mean over second-level categories, not the share of right answers. */
export const mmstarLmmsEval: Scorer = {
  name: 'mmstar@lmms-eval',
  summary:
    'Capital letters in many forms, at last any capital letter of an option ("Cost is unclear" is C). average is the mean over the 18 second-level categories; the share of right answers is micro_average. Questions without an answer are left out.',
  source: 'EvolvingLMMs-Lab/lmms-eval tasks/mmstar/utils.py and tasks/_task_utils/mcq_extract.py at 75571cf',
  kinds: ['choice'],
  primary: 'average',
  best: 1,
  missing: 'left out',
  read: (answer, question) => {
    const value = parseLmmsEvalChoice(answer, question.options ?? []);
    return { value, correct: rightIf(value, question) };
  },
  summarise(rows, missing) {
    const whole = { rows: [...rows], missing: [...missing] };
    const byCategory = byGroup(rows, missing, categoryOf, group => ({ average: averageOf(group), accuracy: accuracyOf(group) }));
    const averages = Object.entries(byCategory).map(([category, { average }]) => [category, average]);
    return {
      metrics: {
        average: averageOf(whole),
        micro_average: accuracyOf(whole),
        accuracy: accuracyOf(whole),
        ...Object.fromEntries(averages),
      },
      byCategory: { ...byCategory, ...byGroup(rows, missing, secondLevelOf, accuracyFigures) },
    };
  },
  tally(questions) {
    const groups = distinct(questions, groupOf);
    return {
      width: 2 * groups.length,
      sums(rows, missing) {
        const sums = new Float64Array(2 * groups.length);
        for (const [key, group] of grouped(rows, missing, groupOf))
          sums.set([rightOf(group.rows), countOf(group.rows) + group.missing.length], 2 * groups.indexOf(key));
        return sums;
      },
      // A category that a resample does not draw is left out of its mean.
      figure: sums => meanOf(groups.flatMap((_, i) => (sums[2 * i + 1] > 0 ? [ratio(sums[2 * i], sums[2 * i + 1])] : []))),
    };
  },
};

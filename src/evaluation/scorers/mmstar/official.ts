/** @file `mmstar@official`: MMStar's `MMStar_eval`. */
import { mmstarCredits, parseMmstar } from '../parse/mmstar.ts';
import type { Figures, Scorer } from '../scorer.ts';
import { accuracyOf, rightOf, shareTally } from '../summaries/accuracy.ts';
import { byGroup, categoryOf, type Group } from '../summaries/groups.ts';
import { secondLevelOf } from './second-level.ts';

/** What the program divides by, however many questions were answered. */
const ALL = 1500;

/** MMStar's own scorer, divided by what was asked. */
export const mmstarOfficial: Scorer = {
  name: 'mmstar@official',
  summary:
    'The first character in any case ("Based on …" is B, "Answer: B" is A), or the one behind "(", "option " or "the answer is " at the start. accuracy is the share of all questions; the program divides by 1500 whatever was asked (final_score_as_printed). A question without an answer is wrong.',
  source: 'MMStar-Benchmark/MMStar eval at 88f243a',
  kinds: ['choice'],
  primary: 'accuracy',
  best: 1,
  missing: 'wrong',
  read: (answer, question) => {
    const credits = mmstarCredits(answer);
    return {
      value: parseMmstar(answer, question.options ?? []),
      correct: question.answers.some(letter => credits.includes(letter)) ? 1 : 0,
    };
  },
  summarise(rows, missing) {
    const figures = (group: Group): Figures => ({
      correct: rightOf(group.rows),
      count: group.rows.length + group.missing.length,
      accuracy: accuracyOf(group),
    });
    return {
      metrics: { ...figures({ rows: [...rows], missing: [...missing] }), final_score_as_printed: rightOf(rows) / ALL },
      byCategory: { ...byGroup(rows, missing, categoryOf, figures), ...byGroup(rows, missing, secondLevelOf, figures) },
    };
  },
  tally: () => shareTally(),
};

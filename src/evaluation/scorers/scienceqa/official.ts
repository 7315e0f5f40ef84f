/** @file `scienceqa@official`: LLaVA's `eval_science_qa.py`, which is what papers on LLaVA report. */
import type { Question } from '../../benchmarks/question.ts';
import { parseScienceQaLlava } from '../parse/scienceqa-llava.ts';
import type { Figures, Reading, Scorer } from '../scorer.ts';
import { accuracyOf, rightIf, rightOf, shareTally } from '../summaries/accuracy.ts';
import { byGroup, categoryOf, type Group, ratio } from '../summaries/groups.ts';
import { hasPicture } from './pictured.ts';

/** LLaVA's reading: a letter beyond the question's options is read, and is wrong. */
export function readScienceQaLlava(answer: string, question: Question): Reading {
  const value = parseScienceQaLlava(answer);
  return { value, correct: rightIf(value, question) };
}

/** LLaVA's scorer with its accuracy on questions that have a picture. */
export const scienceQaOfficial: Scorer = {
  name: 'scienceqa@official',
  summary:
    'Exactly a letter, "A. …", or once "The answer is A" with a character behind it; all else has failed ("A.", "A" with a line end, "The answer is B"). A question without an answer is wrong, but is not counted among those with a picture.',
  source: 'haotian-liu/LLaVA llava/eval/eval_science_qa.py at c121f04',
  kinds: ['choice'],
  primary: 'accuracy',
  best: 1,
  missing: 'wrong',
  read: readScienceQaLlava,
  summarise(rows, missing) {
    const figures = (group: Group): Figures => ({
      accuracy: accuracyOf(group),
      correct: rightOf(group.rows),
      count: group.rows.length + group.missing.length,
    });
    const whole = figures({ rows: [...rows], missing: [...missing] });
    const pictured = rows.filter(row => hasPicture(row.question));
    const image = ratio(rightOf(pictured), pictured.length);
    return {
      metrics: {
        ...whole,
        accuracy_percent: 100 * whole.accuracy,
        image_accuracy: image,
        image_correct: rightOf(pictured),
        image_count: pictured.length,
        image_accuracy_percent: 100 * image,
        failed: rows.filter(row => row.value === null).length,
      },
      byCategory: byGroup(rows, missing, categoryOf, figures),
    };
  },
  tally: () => shareTally(),
};

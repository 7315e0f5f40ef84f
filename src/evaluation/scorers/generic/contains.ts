/** @file `contains`: right where the answer holds a right text as words. */
import type { Scorer } from '../scorer.ts';
import { accuracyScorer } from '../summaries/accuracy.ts';
import { normaliseAnswer } from './normalise.ts';

/** A right text within the answer, whole words only. */
export const contains: Scorer = accuracyScorer({
  name: 'contains',
  summary:
    'Right where one of the right texts stands in the answer as whole words, after normalisation; "no hepatitis" holds "hepatitis". A question without an answer is wrong.',
  source: 'Narrows',
  kinds: ['short', 'open'],
  missing: 'wrong',
  read(answer, question) {
    const value = normaliseAnswer(answer);
    const right = question.answers.map(normaliseAnswer).some(one => one !== '' && ` ${value} `.includes(` ${one} `));
    return { value: value === '' ? null : value, correct: right ? 1 : 0 };
  },
});

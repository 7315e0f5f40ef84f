/** @file `choice@strict`: an option where the answer names one and no other; for any set of multiple choice. */
import { parseStrictChoice } from '../parse/strict-choice.ts';
import type { Scorer } from '../scorer.ts';
import { accuracyScorer, rightIf } from '../summaries/accuracy.ts';

/** The strict scorer under the name of a set. */
export const strictChoice = (name: string): Scorer =>
  accuracyScorer({
    name,
    summary:
      'An option where the answer names one and no other: by its letter in any usual form, or by its whole text. What cannot be read, and a question without an answer, is wrong: nothing is guessed.',
    source: 'Narrows',
    kinds: ['choice'],
    missing: 'wrong',
    read: (answer, question) => {
      const value = parseStrictChoice(answer, question.options ?? []);
      return { value, correct: rightIf(value, question) };
    },
  });

/** @file `exact@vqa-soft`: the accuracy of VQA and TextVQA, where people's answers are the truth and agreement counts. */

import type { Question } from '../../benchmarks/question.ts';
import type { Reading, Scorer } from '../scorer.ts';
import { accuracyScorer } from '../summaries/accuracy.ts';
import { ratio } from '../summaries/groups.ts';
import { normaliseAnswer } from './normalise.ts';

/** So many people must agree for full marks. */
const ENOUGH = 3;

/**
 * min(people who gave this answer / 3, 1), averaged over all ways to leave one person out, as the official evaluation has it for ten people. With
 * fewer answers than three, any that is equal is right.
 */
function read(answer: string, question: Question): Reading {
  const value = normaliseAnswer(answer);
  if (value === '') return { value: null, correct: 0 };
  const given = question.answers.map(normaliseAnswer);
  const same = given.filter(one => one === value).length;
  const n = given.length;
  if (n <= ENOUGH) return { value, correct: same > 0 ? 1 : 0 };
  // Leaving out one of those who agree leaves same - 1; leaving out another leaves same.
  const marks = (agree: number): number => Math.min(agree / ENOUGH, 1);
  return { value, correct: ratio(same * marks(same - 1) + (n - same) * marks(same), n) };
}

/** Soft accuracy over people's answers. */
export const vqaSoft: Scorer = accuracyScorer({
  name: 'exact@vqa-soft',
  summary:
    'min(people who gave this answer / 3, 1) after normalisation, averaged over leaving one person out, as VQA and TextVQA score; with three right answers or fewer any equal one counts. A question without an answer is wrong.',
  source: 'Antol et al., VQA, ICCV 2015; Singh et al., TextVQA, CVPR 2019',
  kinds: ['short'],
  missing: 'wrong',
  read,
});

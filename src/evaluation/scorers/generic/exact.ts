/** @file `exact@normalised`: short answers that must be equal to a right one, as GQA and sets like VQA are scored. */
import type { Question } from '../../benchmarks/question.ts';
import { toFloat } from '../parse/python-text.ts';
import type { Reading, Scorer } from '../scorer.ts';
import { accuracyScorer } from '../summaries/accuracy.ts';
import { normaliseAnswer } from './normalise.ts';

const numberOf = (text: string): number | undefined => toFloat(text.replaceAll(',', ''));

/** Right where the normalised answer equals a normalised right one, or both are the same number. An empty answer cannot be read. */
export function readNormalised(answer: string, question: Question): Reading {
  const value = normaliseAnswer(answer);
  const number = numberOf(answer);
  const right = question.answers.some(one => normaliseAnswer(one) === value || (number !== undefined && number === numberOf(one)));
  return { value: value === '' ? null : value, correct: right && value !== '' ? 1 : 0 };
}

/** Equality after normalisation. */
export const exactNormalised: Scorer = accuracyScorer({
  name: 'exact@normalised',
  summary:
    'Right where the answer equals one of the right answers after normalisation: small letters, no punctuation, no articles, digits for number words. A question without an answer is wrong.',
  source: "GQA's and VQA's evaluation (Antol et al. 2015), written anew",
  kinds: ['short', 'yes-no', 'choice'],
  missing: 'wrong',
  read: (answer, question) => readNormalised(answer, question.kind === 'choice' ? { ...question, answers: textsOf(question) } : question),
});

/** Texts of the right options, for answers that write them out. */
const textsOf = ({ answers, options = [] }: Question): string[] =>
  answers.flatMap(letter => [letter, ...(options[letter.charCodeAt(0) - 65] === undefined ? [] : [options[letter.charCodeAt(0) - 65]])]);

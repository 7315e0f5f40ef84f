/** @file Readings of answers to MMMU's open questions. */
import type { Question } from '../../benchmarks/question.ts';
import { isMmmuOpenRight, type OpenValue, parseMmmuOpen } from '../parse/mmmu-open.ts';
import type { Reading } from '../scorer.ts';

const written = (candidates: readonly OpenValue[]): string => candidates.map(value => String(value).trim()).join(' | ');

/** MMMU's: any candidate that holds a right text or equals a right number counts. */
export function readMmmuOpen(answer: string, question: Question): Reading {
  const candidates = parseMmmuOpen(answer);
  return { value: written(candidates), correct: isMmmuOpenRight(candidates, question.answers) ? 1 : 0 };
}

/** lmms-eval's at 75571cf: it takes the answer apart into single characters, so that nearly nothing is right (its issue 1436). */
export function readMmmuOpenByCharacter(answer: string, question: Question): Reading {
  return { value: answer, correct: isMmmuOpenRight([...answer], question.answers) ? 1 : 0 };
}

/** @file What is explained of an answer, as weights over the log-probabilities of the row's answer tokens: the whole, and its parts. */
import { floats } from '../../tensor/tensor.ts';
import type { Target } from '../target.ts';
import { type AnsweredRow, groupWords } from './answer-row.ts';

/** Into what an answer is taken apart, one map each. */
export const ANSWER_PARTS = ['word', 'token', 'none'] as const;
/** One of them. */
export type AnswerParts = (typeof ANSWER_PARTS)[number];

/** How an answer's tokens make one number: the mean or the sum of their log-probabilities. */
export const ANSWER_REDUCTIONS = ['sum', 'mean'] as const;
/** One of them. */
export type AnswerReduction = (typeof ANSWER_REDUCTIONS)[number];

/** A word or token of the answer. `tokens` are places in its list of tokens. */
export interface AnswerPart {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly tokens: readonly number[];
}

/** The parts of the explained answer. An answer of a single part has none: its map would be the whole's. */
export function partsOf(row: AnsweredRow, parts: AnswerParts): AnswerPart[] {
  const [{ text, tokens }] = row.answers;
  if (parts === 'none') return [];
  const single = tokens.map(({ text: piece, start, end }, i) => ({ text: text.slice(start, end) || piece, start, end, tokens: [i] }));
  const found = parts === 'token' ? single : groupWords(text, tokens).map(({ text, start, end, tokens }) => ({ text, start, end, tokens }));
  return found.length > 1 ? found : [];
}

/** Tokens of each target that is explained, the whole answer first. */
export const targetTokens = (row: AnsweredRow, parts: readonly AnswerPart[]): (readonly number[])[] => [
  row.answers[0].tokens.map((_, i) => i),
  ...parts.map(part => part.tokens),
];

/**
 * The targets: row 0 the whole answer (less the one that it is held against), then each part's sum. [P, 1, K] weights over all answers' tokens.
 */
export function answerTarget(row: AnsweredRow, parts: readonly AnswerPart[], reduction: AnswerReduction): Target {
  const [said, against] = row.answers;
  const count = row.answers.reduce((sum, answer) => sum + answer.tokens.length, 0);
  const data = new Float32Array((1 + parts.length) * count);
  const share = (tokens: number): number => (reduction === 'mean' ? 1 / tokens : 1);
  data.fill(share(said.tokens.length), 0, said.tokens.length);
  if (against) data.fill(-share(against.tokens.length), said.tokens.length, count);
  parts.forEach((part, p) => {
    for (const k of part.tokens) data[(1 + p) * count + k] = 1;
  });
  const mean = reduction === 'mean' ? 'mean ' : '';
  const of = `${mean}log-probability of “${said.text}”`;
  return {
    kind: 'answer',
    form: 'raw',
    vectors: floats([1 + parts.length, 1, count], data),
    scale: 1,
    description: against ? `${of} less that of “${against.text}”` : of,
  };
}

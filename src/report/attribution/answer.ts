/** @file What reports say of an answer and of its words, besides their maps. */
import type { AnswerPartMap, AnswerRecord, Attribution } from '../../attribution/result.ts';
import { formatValue } from './normalise.ts';

/** Sum of an answer's log-probabilities, in nats. */
export const answerLogProbability = ({ tokens }: Pick<AnswerRecord, 'tokens'>): number =>
  tokens.reduce((sum, token) => sum + token.logProbability, 0);

/** A probability as a share of a hundred, small ones to their first digits. */
export function percentText(logProbability: number): string {
  const percent = 100 * Math.exp(logProbability);
  return `${percent >= 0.1 || percent === 0 ? formatValue(percent, percent < 10 ? 2 : 1) : percent.toExponential(1).replace('-', '\u2212')} %`;
}

/** One line on the answer: the words, whose they are, and how probable. */
export function answerText(answer: AnswerRecord): string {
  const against = answer.against ? `, against “${answer.against.text}” with ${percentText(answer.against.logProbability)}` : '';
  return `“${answer.text}” (${answer.own ? "the model's own" : 'given'}), probability ${percentText(answerLogProbability(answer))}${against}`;
}

/** Words that a figure shows maps of. */
const TELLING = 3;

/** How much a part's map of the picture says: the sum of its magnitudes. */
const strength = ({ patches }: AnswerPartMap): number => patches?.reduce((sum, v) => sum + Math.abs(v), 0) ?? 0;

/** The words of an answer with the strongest maps of the picture, three at most, in the answer's order. */
export function tellingParts({ answer }: Pick<Attribution, 'answer'>): (AnswerPartMap & { readonly patches: Float32Array })[] {
  const parts = (answer?.parts ?? []).flatMap(part => (part.patches ? [{ ...part, patches: part.patches }] : []));
  const strongest = new Set([...parts].sort((a, b) => strength(b) - strength(a)).slice(0, TELLING));
  return parts.filter(part => strongest.has(part));
}

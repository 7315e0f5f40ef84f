/** @file A judge that says which of two answers is better, in WildVision-Bench's form: `[[A>>B]]` to `[[B>>A]]`. */
import type { EndpointMessage } from '../../generation/endpoint/request.ts';
import { stripThinking } from '../../generation/thinking.ts';
import { OUTCOMES, type Outcome, outcomeOf, parseVerdict } from '../scorers/parse/verdict.ts';
import type { JudgeItem, Order } from './item.ts';
import type { MarkPair } from './relative.ts';
import type { Marks, Review } from './review.ts';

/** Name of our wording in results. */
export const VERDICT_RULES = 'narrows-verdict@1';

const SYSTEM = [
  'You are a fair judge of two answers to a question about a picture, by assistant A and by assistant B.',
  'First think about how you would answer. Then compare: which answer does what was asked, is true of the picture, and says what is useful without inventing anything? Length and order earn nothing.',
  'Give your reasons in a few sentences, and end with one of these five verdicts, brackets included, and no other text in such brackets:',
  'A is much better: [[A>>B]]',
  'A is somewhat better: [[A>B]]',
  'Both are about as good: [[A=B]]',
  'B is somewhat better: [[B>A]]',
  'B is much better: [[B>>A]]',
].join('\n');

/** The messages of one comparison. @param order which answer is that of assistant A */
export function verdictMessages(item: JudgeItem, order: Order): EndpointMessage[] {
  const { context, text, reference, answer, pictures } = item;
  const [a, b] = order === 'reference first' ? [reference, answer] : [answer, reference];
  const block = (name: string, words: string): string => `[Assistant ${name}]\n${words}\n\n[End of Assistant ${name}]\n\n`;
  const given = context === undefined ? '' : `[Context]\n${context}\n\n`;
  return [
    { role: 'system', content: SYSTEM },
    {
      role: 'user',
      content: `${given}[Question]\n${text}\n\n${block('A', a.text)}${block('B', b.text)}`.trimEnd(),
      ...(pictures?.length ? { pictures } : {}),
    },
  ];
}

/** Whether a judgement holds no verdict at all: such a comparison is asked again. */
export const withoutVerdict = (content: string): boolean => parseVerdict(stripThinking(content).text).askAgain;

/** How the model fared by a review, whichever answer was A; undefined where it is unclear. */
export function outcomeOfReview({ content, failure, order }: Review): Outcome | undefined {
  if (failure !== undefined || content === undefined) return undefined;
  const outcome = outcomeOf(parseVerdict(stripThinking(content).text).verdict);
  if (outcome === undefined || order === 'reference first') return outcome;
  return OUTCOMES[OUTCOMES.length - 1 - OUTCOMES.indexOf(outcome)];
}

/** From 2, much better, to -2, much worse. */
const stepsOf = (outcome: Outcome): number => 2 - OUTCOMES.indexOf(outcome);

/** A verdict as marks whose difference is its steps, for the judge's noise. */
export function stepMarks(review: Review): Marks | undefined {
  const outcome = outcomeOfReview(review);
  return outcome === undefined ? undefined : { reference: 0, model: stepsOf(outcome) };
}

/** What a double verdict weighs. */
const DOUBLE = 3;

/**
 * A battle as a pair whose ratio of means is WildVision's score: won weight over all weight, a tie half won (the closed form of its
 * regression, (3 B>>A + B>A + ties/2) / (3 (B>>A + A>>B) + B>A + A>B + ties)).
 */
export function battleOf(steps: number, cluster: string): MarkPair {
  const weight = Math.abs(steps) === 2 ? DOUBLE : 1;
  return { reference: weight, model: steps > 0 ? weight : steps === 0 ? weight / 2 : 0, cluster };
}

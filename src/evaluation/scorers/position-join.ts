/** @file Answers joined by position within each split, as official programs do it. One answer that is missing shifts all labels behind it. */
import type { AnswerRecord, Question } from '../benchmarks/question.ts';
import type { Joined, JoinedAnswer } from './join.ts';
import { joinAnswers } from './join.ts';

/**
 * The n-th answer of a split (by its id's split) is taken for an answer to the split's n-th question, whatever it answers. Only for comparing
 * with figures that were made so.
 * @throws NarrowsError as `joinAnswers`
 */
export function joinByPosition(questions: readonly Question[], answers: readonly AnswerRecord[]): Joined {
  const joined = joinAnswers(questions, answers);
  const order = new Map(answers.map((answer, i) => [answer, i]));
  const bySplit = new Map<string | undefined, JoinedAnswer[]>();
  for (const pair of joined.pairs) {
    const own = bySplit.get(pair.question.split);
    if (own) own.push(pair);
    else bySplit.set(pair.question.split, [pair]);
  }
  const pairs: JoinedAnswer[] = [];
  let strangers = 0;
  for (const [split, own] of bySplit) {
    own.sort((a, b) => (order.get(a.answer) as number) - (order.get(b.answer) as number));
    const labels = questions.filter(question => question.split === split);
    for (const [i, { answer, question }] of own.entries()) {
      if (labels[i] !== question) strangers++;
      pairs.push({ question: labels[i], answer });
    }
  }
  return {
    ...joined,
    pairs,
    warnings: [
      ...joined.warnings,
      strangers === 0
        ? 'Answers were joined by position, which is the same here as joining them by id.'
        : `Answers were joined by position, as the official program does it: ${strangers} of ${pairs.length} are held against the label of another question. These figures are wrong; leave --join position away.`,
    ],
  };
}

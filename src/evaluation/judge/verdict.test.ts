import { describe, expect, it } from 'vitest';
import type { JudgeItem, Order } from './item.ts';
import { relativeScore } from './relative.ts';
import type { Review } from './review.ts';
import { battleOf, outcomeOfReview, verdictMessages, withoutVerdict } from './verdict.ts';
import { verdictResults } from './verdict-results.ts';

const item: JudgeItem = {
  ...{ id: 1, key: '1', text: 'Why?', category: 'en', rule: 'en', cluster: 'a', context: 'A cat.' },
  ...{ reference: { id: 'r', text: 'REF' }, answer: { id: 'a', text: 'ANS' } },
};
let next = 0;
const review = (content: string, order: Order = 'reference first', more: Partial<Review> = {}): Review => ({
  ...{ questionId: next++, category: 'en', order, repeat: 0, content },
  ...more,
});
const results = (reviews: readonly Review[]) =>
  verdictResults({ judge: 'j', model: 'm', rules: 'r', reviews, clusterOf: () => undefined, warnings: [] });

describe('verdicts of a judge', () => {
  it('are asked for with the reference or the model as A', () => {
    const [system, user] = verdictMessages(item, 'reference first');
    for (const verdict of ['[[A>>B]]', '[[A>B]]', '[[A=B]]', '[[B>A]]', '[[B>>A]]']) expect(system.content).toContain(verdict);
    expect(user.content).toBe(
      '[Context]\nA cat.\n\n[Question]\nWhy?\n\n[Assistant A]\nREF\n\n[End of Assistant A]\n\n[Assistant B]\nANS\n\n[End of Assistant B]',
    );
    expect(verdictMessages({ ...item, context: undefined }, 'model first')[1].content).toMatch(
      /^\[Question\]\nWhy\?\n\n\[Assistant A\]\nANS/,
    );
  });

  it('are of the model, whichever answer was A', () => {
    expect(outcomeOfReview(review('[[B>>A]]'))).toBe('much better');
    expect(outcomeOfReview(review('[[B>>A]]', 'model first'))).toBe('much worse');
    expect(outcomeOfReview(review('[[A>B]]', 'model first'))).toBe('better');
    expect(outcomeOfReview(review('[[A=B]]', 'model first'))).toBe('tie');
    expect(outcomeOfReview(review('<think>[[A>B]]</think>[[B>A]]'))).toBe('better');
    for (const unclear of ['', '[[A>B]] or [[B>A]]', '[[A<B]]']) expect(outcomeOfReview(review(unclear))).toBeUndefined();
    expect(outcomeOfReview(review('[[B>A]]', 'reference first', { failure: 'slow' }))).toBeUndefined();
    expect([withoutVerdict('B is better'), withoutVerdict('[[A<B]]'), withoutVerdict('<think>[[A>B]]</think>hm')]).toEqual([
      true,
      false,
      true,
    ]);
  });

  it('make the board: score in closed form, reward, win rates', () => {
    // Won 3 · 20 + 40 = 100, lost 3 · 30 + 60 = 150, 10 ties: (100 + 5) / 260. Reward (20 · 100 + 40 · 50 - 60 · 50 - 30 · 100) / 165.
    const of = (n: number, content: string): Review[] => Array.from({ length: n }, () => review(content));
    const line = [
      ...of(20, '[[B>>A]]'),
      ...of(40, '[[B>A]]'),
      ...of(10, '[[A=B]]'),
      ...of(5, '[[A>B]] [[A=B]]'),
      ...of(60, '[[A>B]]'),
      ...of(30, '[[A>>B]]'),
    ];
    const { score, board, failures, warnings } = results(line);
    expect(score.relative).toBeCloseTo((100 * 105) / 260, 10);
    expect(score.relative).toBeCloseTo(board.score, 10);
    expect(board.reward).toBeCloseTo(-2000 / 165, 10);
    expect(board.win_or_tie_rate).toBeCloseTo(75 / 165, 10);
    expect([score.n, failures]).toEqual([160, { unclear: 5 }]);
    expect(warnings[0]).toContain('5 of 165 judgements have no clear verdict');
    // Every battle against the same: half of the weight is won by ties.
    expect(relativeScore([2, -2, 0].map((steps, i) => battleOf(steps, `${i}`))).relative).toBeCloseTo(50, 12);
    expect(results([...line, review('', 'reference first', { failure: 'refused' })]).board).toEqual(board);
  });

  it('show when the order decides', () => {
    const both = [review('[[A>B]]'), review('[[A>B]]', 'model first')].map(one => ({ ...one, questionId: 1 }));
    expect(results(both).noise.orders).toEqual({ questions: 1, flips: 1, same: 0, firstGains: 1 });
  });
});

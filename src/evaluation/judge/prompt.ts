/** @file What is sent to a judge, block by block as LLaVA's review scripts put it (`eval_gpt_review_visual.py`). */
import type { EndpointMessage } from '../../generation/endpoint/request.ts';
import type { JudgeItem, Order } from './item.ts';
import type { Rule } from './rules.ts';

/** LLaVA's system text for judges. */
export const JUDGE_SYSTEM = 'You are a helpful and precise assistant for checking the quality of the answer.';

/**
 * The messages of one comparison. Without a context its block is left out.
 * @param order which answer is that of Assistant 1
 */
export function judgeMessages(item: JudgeItem, { role, prompt }: Rule, order: Order): EndpointMessage[] {
  const { context, text, reference, answer, pictures } = item;
  const [first, second] = order === 'reference first' ? [reference, answer] : [answer, reference];
  const block = (number: number, words: string): string => `[${role} ${number}]\n${words}\n\n[End of ${role} ${number}]\n\n`;
  const content = [
    context === undefined ? '' : `[Context]\n${context}\n\n`,
    `[Question]\n${text}\n\n`,
    block(1, first.text),
    block(2, second.text),
    `[System]\n${prompt}\n\n`,
  ].join('');
  return [
    { role: 'system', content: JUDGE_SYSTEM },
    { role: 'user', content, ...(pictures?.length ? { pictures } : {}) },
  ];
}

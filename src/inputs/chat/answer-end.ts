/** @file What a chat template writes behind an answer: by it answers end, and without it nothing that is trained ever says that it is done. */
import type { Tokenizer } from '../text/tokenizer.ts';
import { type ChatMessage, IMAGE_MARK } from './messages.ts';
import type { ChatTemplate } from './template.ts';

/** How answers end. */
export interface AnswerEnd {
  /** A special token. */
  readonly token?: number;
  /** A text that is no special token. */
  readonly stop?: string;
}

const ANSWER = 'ANSWER';

/** What is supervised behind the first answer of some turns. A template that writes the image itself is given one. */
function behind(template: ChatTemplate, after: readonly ChatMessage[]): string {
  for (const image of ['', `${IMAGE_MARK}\n`])
    try {
      const spans = template.render([{ role: 'user', content: `${image}QUESTION` }, { role: 'assistant', content: ANSWER }, ...after]);
      const at = spans.findIndex(span => span.supervised && span.text.includes(ANSWER));
      if (at < 0) continue;
      let end = spans.findIndex((span, i) => i > at && !span.supervised);
      if (end < 0) end = spans.length;
      const said = spans
        .slice(at, end)
        .map(span => span.text)
        .join('');
      return said.slice(said.indexOf(ANSWER) + ANSWER.length);
    } catch {
      // The next one may do; a template that refuses them all names no end.
    }
  return '';
}

/**
 * What ends an answer of a template: its own `stop`, or what it writes behind an answer, at the end of a conversation or before the next
 * question. White space is none: it is ignored before a token, and by itself it ends nothing.
 */
export function answerEnd(template: ChatTemplate, tokenizer: Pick<Tokenizer, 'encode' | 'decode'>): AnswerEnd {
  if (template.stop !== undefined) return { stop: template.stop };
  for (const after of [[], [{ role: 'user', content: 'QUESTION' } as const]]) {
    const text = behind(template, after).trim();
    if (text === '') continue;
    const tokens = tokenizer.encode(text, { maxLength: Number.POSITIVE_INFINITY }).tokens.filter(token => token.end > 0);
    // An unknown token may be special as well: a token of the end is one that stands there by its name.
    const special = tokens.find(
      ({ id, start, end, text: name }) => text.slice(start, end).trim() === name && tokenizer.decode([id]) === '',
    );
    if (!special) return { stop: text };
    const before = text.slice(0, special.start).trim();
    return { token: special.id, ...(before === '' ? {} : { stop: before }) };
  }
  return {};
}

/** Says that a template ends its answers with nothing that a model could learn; undefined where it does. */
export function noEndSentence(template: ChatTemplate, tokenizer: Pick<Tokenizer, 'encode' | 'decode'>): string | undefined {
  const { token, stop } = answerEnd(template, tokenizer);
  if (token !== undefined || stop !== undefined) return undefined;
  const where = template.source === undefined ? '' : ` (${template.source})`;
  return `The template ${template.name}${where} ends answers with no end token, so nothing that is trained with it says when an answer is over; write {{ eos_token }} behind answers in it, or take another with --template (vicuna_v1 ends them with it).`;
}

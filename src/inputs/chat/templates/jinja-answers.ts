/** @file Where the answers stand in what a Jinja chat template rendered. */
import type { ChatMessage } from '../messages.ts';

/** UTF-16 range of the rendered text. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Renders turns, with the generation prompt or without. */
export type Render = (messages: readonly ChatMessage[], generationPrompt: boolean) => string;

/** Characters of the private use area stand where `{% generation %}` opened and closed. */
export const OPEN = '\uE0F1';
/** See `OPEN`. */
export const CLOSE = '\uE0F2';
const standIn = (i: number): string => `\uE0F3${i}\uE0F4`;

/** A template whose generation blocks print marks: Jinja's own rules for white space around blocks go on to hold. */
export const markGeneration = (template: string): string =>
  template.replace(
    /\{%(-?)\s*(end)?generation\s*(-?)%\}/g,
    (_, left: string, end: string | undefined, right: string) => `{%${left} if true %}${end ? CLOSE : OPEN}{% endif ${right}%}`,
  );

/** What stands between the marks, in positions of the text without them. */
export function answersBetween(shown: string): Range[] {
  const out: Range[] = [];
  let [marks, start] = [0, 0];
  for (const { 0: mark, index } of shown.matchAll(new RegExp(`[${OPEN}${CLOSE}]`, 'g'))) {
    const at = index - marks++;
    if (mark === OPEN) start = at;
    else if (at > start) out.push({ start, end: at });
  }
  return out;
}

/**
 * Answers found by rendering once more with a stand-in for each: what lies around the stand-ins lies around the answers too. A template
 * may trim contents, or drop a part of them.
 * @returns undefined where the surroundings depend on the answers
 */
export function answersByGaps(
  render: Render,
  text: string,
  messages: readonly ChatMessage[],
  generationPrompt: boolean,
): Range[] | undefined {
  const contents = messages.flatMap(({ role, content }) => (role === 'assistant' ? [content] : []));
  let number = 0;
  const skeleton = render(
    messages.map(message => (message.role === 'assistant' ? { ...message, content: standIn(number++) } : message)),
    generationPrompt,
  );
  const gaps: string[] = [];
  let rest = skeleton;
  for (const i of contents.keys()) {
    const parts = rest.split(standIn(i));
    if (parts.length !== 2) return undefined;
    gaps.push(parts[0]);
    rest = parts[1];
  }
  gaps.push(rest);
  if (!text.startsWith(gaps[0])) return undefined;
  const out: Range[] = [];
  let start = gaps[0].length;
  for (const [i, content] of contents.entries()) {
    const gap = gaps[i + 1];
    const last = i === contents.length - 1;
    const fits = (end: number): boolean => text.startsWith(gap, end) && (!last || end + gap.length === text.length);
    const candidates = [content, content.trimEnd(), content.trimStart(), content.trim()].filter(one => text.startsWith(one, start));
    const exact = candidates.map(one => start + one.length).find(fits);
    const end = exact ?? (last ? text.length - gap.length : gap === '' ? -1 : text.indexOf(gap, start));
    if (end < start || !fits(end)) return undefined;
    out.push({ start, end });
    start = end + gap.length;
  }
  return out;
}

/** End of the last special token in a range; its own end without one. */
function lastSpecialEnd(text: string, { start, end }: Range, specialTokens: readonly string[]): number {
  const piece = text.slice(start, end);
  const ends = specialTokens.flatMap(token => {
    const at = piece.lastIndexOf(token);
    return at < 0 ? [] : [start + at + token.length];
  });
  return ends.length ? Math.max(...ends) : end;
}

/** Answers as what each turn adds to the turns before it. @returns undefined where a longer conversation does not begin as a shorter one */
export function answersByPrefixes(
  render: Render,
  text: string,
  messages: readonly ChatMessage[],
  specialTokens: readonly string[],
): Range[] | undefined {
  const out: Range[] = [];
  for (const [i, { role }] of messages.entries()) {
    if (role !== 'assistant') continue;
    const whole = render(messages.slice(0, i + 1), false);
    const head = [true, false].map(more => render(messages.slice(0, i), more)).find(one => whole.startsWith(one));
    if (head === undefined || !text.startsWith(whole) || whole.length === head.length) return undefined;
    const range = { start: head.length, end: whole.length };
    out.push({ ...range, end: lastSpecialEnd(text, range, specialTokens) });
  }
  return out;
}

const escapePattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/** What `withEnds` knows besides the text. */
export interface EndContext {
  readonly bare: Render;
  readonly messages: readonly ChatMessage[];
  readonly eosToken: string;
  readonly specialTokens: readonly string[];
}

/**
 * Answers with the end-of-turn token that follows, blanks before it included. A special token that begins the next turn is none: the token
 * must also follow an answer after which nothing comes, or be the end-of-sequence token.
 */
export function withEnds(answers: readonly Range[], text: string, { bare, messages, eosToken, specialTokens }: EndContext): Range[] {
  const named = [...new Set([eosToken, ...specialTokens])].filter(Boolean).sort((a, b) => b.length - a.length);
  const pattern = new RegExp(`^\\s*(${[...named.map(escapePattern), '<\\|[^\\s|<>]+\\|>'].join('|')})`);
  const follows = (rest: string): RegExpExecArray | null => pattern.exec(rest);
  const lastAnswer = messages.findLastIndex(message => message.role === 'assistant');
  let closing: string | undefined;
  try {
    // The conversation up to its last answer: whatever stands at its very end ends a turn.
    const whole = bare(messages.slice(0, lastAnswer + 1), false);
    const from = answers.at(-1)?.end ?? 0;
    closing = whole.slice(0, from) === text.slice(0, from) ? follows(whole.slice(from))?.[1] : undefined;
  } catch {
    // A template that refuses a part of the conversation: only the end-of-sequence token is known.
  }
  return answers.map(range => {
    const next = follows(text.slice(range.end));
    return next && (next[1] === closing || next[1] === eosToken) ? { ...range, end: range.end + next[0].length } : range;
  });
}

/**
 * Answers with the blanks before them that the generation prompt does not write: the model must say those itself.
 * @param generation what the generation prompt adds, such as ` ASSISTANT:`
 */
export function withStarts(answers: readonly Range[], text: string, generation: string): Range[] {
  return answers.map((range, i) => {
    const before = text.slice(answers[i - 1]?.end ?? 0, range.start);
    const bare = before.replace(/[ \t]+$/, '');
    return bare !== before && bare.endsWith(generation) ? { ...range, start: range.start - (before.length - bare.length) } : range;
  });
}

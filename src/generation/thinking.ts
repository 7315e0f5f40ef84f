/** @file Reasoning that models write before their answer: `<think>…</think>`. */

const BLOCK = /<think(?:ing)?>.*?<\/think(?:ing)?>/gis;
const CLOSE = /^.*<\/think(?:ing)?>/is;
const OPEN = /<think(?:ing)?>.*$/is;

/** An answer without its reasoning. */
export interface Stripped {
  /** As it was where there was no reasoning: white space matters to several official programs. Else with white space around it taken away. */
  readonly text: string;
  readonly thought: boolean;
  /** The reasoning was never closed: it was cut short, and there is no answer. */
  readonly unclosed: boolean;
}

/**
 * Takes `<think>…</think>` (or `<thinking>`) away; also what stands before a closing tag without an opening one (chat templates put that into the
 * prompt), and everything behind an opening tag that is never closed.
 */
export function stripThinking(raw: string): Stripped {
  if (!/<\/?think(?:ing)?>/i.test(raw)) return { text: raw, thought: false, unclosed: false };
  const closed = raw.replace(BLOCK, '').replace(CLOSE, '');
  const text = closed.replace(OPEN, '');
  return { text: text.trim(), thought: true, unclosed: text !== closed };
}

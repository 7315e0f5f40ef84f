/** @file Thinking that a model writes into its answer, between `<think>` and `</think>`. */

/**
 * A text without what stands between `<think>` and `</think>`, and without white space around it. A `</think>` without a beginning ends
 * thinking that began with the prompt; a `<think>` without an end was cut inside, and nothing behind it is an answer.
 */
export function withoutThinking(text: string): string {
  const paired = text.replace(/<think>[\s\S]*?<\/think>/g, '');
  const end = paired.lastIndexOf('</think>');
  const rest = end < 0 ? paired : paired.slice(end + '</think>'.length);
  const open = rest.indexOf('<think>');
  return (open < 0 ? rest : rest.slice(0, open)).trim();
}

/** @file How deep JSON goes, before anything walks it: what calls itself for each level would run out of stack. */

/** Levels that no file of a person or a program has. */
const DEEPEST = 500;

/** Whether a JSON text has more than 500 lists and objects in one another. Texts inside of it do not count. */
export function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) {
      do {
        i = text.indexOf('"', i + 1);
        if (i < 0) return false;
      } while (isEscaped(text, i));
    } else if (code === 0x5b || code === 0x7b) {
      if (++depth > DEEPEST) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}

/** Whether an odd number of backslashes stands before a place. */
function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === 0x5c) first--;
  return (at - first) % 2 === 1;
}

/** What to say of such a text. @param what its file or place */
export const tooDeep = (what: string): string =>
  `${what} is JSON of more than ${DEEPEST} lists and objects in one another, which no such file has; get the file again.`;

/** As `JSON.parse`, of what may come from anybody. @throws SyntaxError as that does, and for a text that is too deep */
export function parsePlain<T = unknown>(text: string): T {
  if (isTooDeep(text)) throw new SyntaxError(`more than ${DEEPEST} lists and objects in one another`);
  return JSON.parse(text) as T;
}

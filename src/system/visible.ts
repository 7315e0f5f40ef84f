/** @file Data that a terminal or a spreadsheet would obey is made visible: captions, file names, ids and answers come from anywhere. */

// Control characters of ASCII and Latin-1 but for tab and line ends, and the marks that turn the direction of writing.
const CONTROL = '\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069';
const COMMANDS = new RegExp(`[${CONTROL}]|\\r(?!\\n)`, 'g');
/** Colours and weights, as this package writes them itself; nothing that hides, blinks or moves. */
const STYLE =
  '\\u001b\\[(?:[0-4]|2[2-4]|[349]\\d|10[0-7]|[34]8;5;\\d+|[34]8;2;\\d+;\\d+;\\d+)?(?:;(?:[0-4]|2[2-4]|[349]\\d|[34]8;5;\\d+|[34]8;2;\\d+;\\d+;\\d+))*m';
const STYLED = new RegExp(`(${STYLE})|[${CONTROL}]|\\r(?!\\n)`, 'g');

const shown = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * A text whose control characters are written out, `\u001b` for escape, so that a terminal shows them instead of obeying. Inside of JSON
 * the result is the same JSON.
 * @param styles colours are left as they are: for text that has been styled for a terminal already
 */
export const visible = (text: string, styles = false): string =>
  styles ? text.replace(STYLED, (character, style) => style ?? shown(character)) : text.replace(COMMANDS, shown);

/** @file How Python handles texts where JavaScript differs: official scorers are Python, and their answers hang on white space and numbers. */

/** Characters that Python's `str.isspace` takes for white space (unlike JavaScript: \x1c-\x1f and \x85, but not the byte-order mark). */
const SPACE = '\\t\\n\\v\\f\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const ENDS = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, 'g');
const RUNS = new RegExp(`[${SPACE}]+`);
const NUMBER = /^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;
const NAN = /^[+-]?nan$/i;

/** `text.strip()`. */
export const strip = (text: string): string => text.replace(ENDS, '');

/** `text.strip(char)` with one character. */
export function stripCharacter(text: string, character: string): string {
  let [start, end] = [0, text.length];
  while (start < end && text[start] === character) start++;
  while (end > start && text[end - 1] === character) end--;
  return text.slice(start, end);
}

/** `text.split()`: words between white space. */
export const words = (text: string): string[] => text.split(RUNS).filter(Boolean);

/** Decimal digits of any script as ASCII ones, as `float` reads them. */
const asciiDigits = (text: string): string =>
  text.replace(/[^\P{Nd}0-9]/gu, digit => {
    // Mathematical letters hold several runs of digits in a row; their plain form is ASCII.
    const plain = digit.normalize('NFKC');
    if (/^[0-9]$/.test(plain)) return plain;
    // Digits of a script stand in a run of ten; the last code point before it is no digit.
    let value = 0;
    for (let code = digit.codePointAt(0) as number; value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - 1)); code--) value++;
    return String(value);
  });

/** `float(text)`; undefined where it raises ValueError. */
export function toFloat(text: string): number | undefined {
  const trimmed = strip(text);
  const infinite = INFINITE.exec(trimmed);
  if (infinite) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (NAN.test(trimmed)) return Number.NaN;
  const plain = asciiDigits(trimmed);
  return NUMBER.test(plain) ? Number(plain.replaceAll('_', '')) : undefined;
}

/** `round(value, 2)`: the decimal that is nearest to the exact binary value, the even one of two that are as near. */
export function roundToCents(value: number): number {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e21) return value;
  const rounded = Number(value.toFixed(2));
  // Only eighths lie exactly between two cents; toFixed takes the larger of the two.
  if (!Number.isInteger(value * 8) || Number.isInteger(value * 4)) return rounded;
  const below = Math.floor(value * 100);
  return (below % 2 === 0 ? below : below + 1) / 100;
}

/** Number of characters as Python counts them. */
export const lengthOf = (text: string): number => {
  let count = 0;
  for (const _ of text) count++;
  return count;
};

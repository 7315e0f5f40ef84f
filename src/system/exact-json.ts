/** @file JSON whose whole numbers stay as they are written: ids above 2^53 are no JavaScript numbers. */
import { parsePlain } from './json-depth.ts';

/** A text, or a whole number of many digits (with nothing that makes a fraction of it). */
const LONG = /"(?:[^"\\]|\\.)*"|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/gs;
const MARK = '\u0000exact:';

/**
 * As `JSON.parse`, but whole numbers beyond ±(2^53 − 1) become bigints.
 * @throws SyntaxError as `JSON.parse`
 */
export function parseExact(text: string): unknown {
  const value: unknown = parsePlain(text);
  if (!/\d{16}/.test(text)) return value;
  let any = false;
  const marked = text.replace(LONG, match => {
    if (match.startsWith('"') || Number.isSafeInteger(Number(match))) return match;
    any = true;
    return JSON.stringify(MARK + match);
  });
  if (!any) return value;
  return JSON.parse(marked, (_, inner: unknown) =>
    typeof inner === 'string' && inner.startsWith(MARK) ? BigInt(inner.slice(MARK.length)) : inner,
  );
}

/** As `JSON.stringify`, but bigints are written as whole numbers. */
export function exactJson(value: unknown, space?: number): string {
  const text = JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? MARK + inner : inner), space);
  return text?.replaceAll(/"\\u0000exact:(-?\d+)"/g, '$1');
}

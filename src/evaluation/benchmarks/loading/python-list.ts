/** @file Lists as Python prints them: MMMU and VLMEvalKit keep options and pictures as such a text. */

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"', '\n': '' };

/** Reads a Python string literal at a place. @returns undefined where none stands there */
function literal(text: string, from: number): { readonly value: string; readonly end: number } | undefined {
  const quote = text[from];
  if (quote !== "'" && quote !== '"') return undefined;
  let value = '';
  for (let at = from + 1; at < text.length; at++) {
    const c = text[at];
    if (c === quote) return { value, end: at + 1 };
    if (c !== '\\') {
      value += c;
      continue;
    }
    const next = text[++at];
    const digits = { x: 2, u: 4, U: 8 }[next as 'x'];
    const code = digits === undefined ? undefined : text.slice(at + 1, at + 1 + digits);
    if (
      digits !== undefined &&
      code !== undefined &&
      /^[0-9a-fA-F]+$/.test(code) &&
      code.length === digits &&
      Number.parseInt(code, 16) <= 0x10ffff
    ) {
      value += String.fromCodePoint(Number.parseInt(code, 16));
      at += digits;
    } else value += ESCAPES[next] ?? `\\${next}`;
  }
  return undefined;
}

/**
 * The texts of a list such as `['$6', "it's", 3]`; numbers, `None`, `True` and `False` as they are written.
 * @returns undefined for a text that is no list
 */
export function pythonList(text: string): string[] | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith('[') || !trimmed.endsWith(']')) return undefined;
  const out: string[] = [];
  let at = 1;
  const skip = (): void => {
    while (/\s/.test(trimmed[at] ?? '')) at++;
  };
  for (skip(); trimmed[at] !== ']'; skip()) {
    const found = literal(trimmed, at);
    if (found) {
      out.push(found.value);
      at = found.end;
    } else {
      const bare = /^[^,\]['"]+/.exec(trimmed.slice(at))?.[0];
      if (bare === undefined) return undefined;
      out.push(bare.trim());
      at += bare.length;
    }
    skip();
    if (trimmed[at] === ',') at++;
    else if (trimmed[at] !== ']') return undefined;
  }
  return at === trimmed.length - 1 ? out : undefined;
}

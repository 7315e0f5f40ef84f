/** @file Added tokens (special tokens among them) are found in the text before anything else is cut. */
import { type Aligned, alignOriginal, blankEnds, sliceAligned } from './aligned.ts';
import type { Normalize } from './normalize.ts';

/** An entry of `added_tokens` in tokenizer.json. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean;
  readonly normalized?: boolean;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
  readonly single_word?: boolean;
}

/** Either an added token found in the text, or text between them. */
export interface Section {
  readonly piece: Aligned;
  readonly token?: AddedToken;
}

const escapePattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
const WORD_BEFORE = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const WORD_AFTER = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

/**
 * A function that cuts a piece at the added tokens (leftmost, then longest). With `normalize`, the tokens' own text is normalised first,
 * because it is looked for in normalised text.
 */
export function addedTokenSplitter(tokens: readonly AddedToken[], normalize?: Normalize): (piece: Aligned) => Section[] {
  const byText = new Map<string, AddedToken>();
  for (const token of tokens) {
    const text = normalize ? normalize(alignOriginal(token.content)).text : token.content;
    if (text) byText.set(text, token);
  }
  if (byText.size === 0) return piece => [{ piece }];
  const texts = [...byText.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(texts.map(escapePattern).join('|'), 'g');
  return piece => {
    const sections: Section[] = [];
    let last = 0;
    for (const match of piece.text.matchAll(pattern)) {
      const token = byText.get(match[0]) as AddedToken;
      let from = match.index;
      let to = from + match[0].length;
      if (from < last) continue;
      if (token.single_word && (WORD_BEFORE.test(piece.text.slice(0, from)) || WORD_AFTER.test(piece.text.slice(to)))) continue;
      if (token.lstrip) from -= blankEnds(`.${piece.text.slice(last, from)}`).back;
      if (token.rstrip) to += blankEnds(piece.text.slice(to)).front;
      if (from > last) sections.push({ piece: sliceAligned(piece, last, from) });
      sections.push({ piece: sliceAligned(piece, from, to), token });
      last = to;
    }
    if (last < piece.text.length) sections.push({ piece: sliceAligned(piece, last, piece.text.length) });
    return sections;
  };
}

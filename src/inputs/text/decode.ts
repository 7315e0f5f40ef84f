/** @file Token ids back to text, by the `decoder` of tokenizer.json: what `decode(ids, skip_special_tokens=True)` of Python gives. */

import { NarrowsError } from '../../system/errors.ts';
import type { Component } from './component.ts';
import { SequenceDecoder } from './library.ts';

/** Joins vocabulary entries to the text they stand for. */
export type JoinTokens = (tokens: readonly string[]) => string;

/** Undoes the blanks that splitting at punctuation brings in (`clean_up_tokenization` of transformers). */
const cleanUp = (text: string): string =>
  text
    .replace(/ ([.?!,])/g, '$1')
    .replaceAll(" ' ", "'")
    .replace(/ (n't|'m|'s|'ve|'re)/g, '$1');

/** `<0xE2>` of byte fallback. */
const BYTE = /^<0x[0-9A-Fa-f]{2}>$/;

/** Runs of byte tokens that are no text become one U+FFFD a byte, as in Rust; the library's decoder gives fewer. */
function repairBytes(tokens: readonly string[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < tokens.length; ) {
    let end = i;
    while (end < tokens.length && BYTE.test(tokens[end])) end++;
    if (end === i) out.push(tokens[i++]);
    else {
      const bytes = tokens.slice(i, end).map(token => Number.parseInt(token.slice(3, 5), 16));
      const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));
      out.push(text.includes('\uFFFD') ? '\uFFFD'.repeat(bytes.length) : text);
      i = end;
    }
  }
  return out;
}

const usesBytes = (decoder: Component): boolean =>
  decoder.type === 'ByteFallback' || (decoder.type === 'Sequence' && ((decoder.decoders ?? []) as Component[]).some(usesBytes));

/**
 * @param decoder `decoder` of tokenizer.json; without one, entries are joined by blanks
 * @param clean `clean_up_tokenization_spaces` of tokenizer_config.json
 * @throws NarrowsError for a decoder that is not known
 */
export function createJoin(decoder: Component | null | undefined, clean = false): JoinTokens {
  const tidy = clean ? cleanUp : (text: string): string => text;
  if (!decoder) return tokens => tidy(tokens.join(' '));
  // Rust drops every mark of the first token (unless nothing was put in front); the library drops one.
  if (decoder.type === 'Metaspace') {
    const mark = String(decoder.replacement ?? '▁');
    const first = decoder.prepend_scheme === 'never' ? ' ' : '';
    return tokens => tidy(tokens.map((token, i) => token.replaceAll(mark, i === 0 ? first : ' ')).join(''));
  }
  let chain: { decode(tokens: string[]): string };
  try {
    chain = new SequenceDecoder({ type: 'Sequence', decoders: [decoder] });
  } catch (error) {
    throw new NarrowsError(`tokenizer.json: the decoder ${JSON.stringify(decoder.type)} is not known.`, { cause: error });
  }
  const bytes = usesBytes(decoder);
  return tokens => tidy(chain.decode(bytes ? repairBytes(tokens) : [...tokens]));
}

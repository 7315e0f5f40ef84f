/** @file Token ids back to text, by the `decoder` of tokenizer.json: what `decode(ids, skip_special_tokens=True)` of Python gives. */

import { NarrowsError } from '../../system/errors.ts';
import type { Component } from './component.ts';
import { SequenceDecoder } from './library.ts';

/** Joins vocabulary entries to the text they stand for. */
export interface JoinTokens {
  (tokens: readonly string[]): string;
  /** The beginning of that text which no tokens behind these can change. */
  settled(tokens: readonly string[]): string;
}

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

const inside = (decoder: Component): readonly Component[] => (decoder.decoders ?? []) as Component[];
const usesBytes = (decoder: Component): boolean =>
  decoder.type === 'ByteFallback' || (decoder.type === 'Sequence' && inside(decoder).some(usesBytes));
/** Whether a replacement reads the whole text: what it makes of the end depends on what comes. */
const rewritesWhole = (decoder: Component): boolean =>
  decoder.type === 'Sequence' &&
  inside(decoder).some(
    (one, i) =>
      one.type === 'Replace' &&
      inside(decoder)
        .slice(0, i)
        .some(before => before.type === 'Fuse'),
  );

/**
 * How much of a text that is going to be tidied no later text changes: up to the last blank that neither belongs to a quotation mark between
 * blanks nor might go with what follows it.
 */
function untouched(text: string): string {
  for (let at = text.length - 1; at > 0; at--)
    if (text[at] === ' ' && text[at - 1] !== ' ' && text.slice(at - 2, at) !== " '") return text.slice(0, at);
  return '';
}

/** Half a character at the end of a text, which the next token may complete. */
const wholeCharacters = (text: string): string => text.replace(/\uFFFD+$/, '');

/** @param plain joins without tidying @param bytes a run of byte tokens at the end is not known before it has ended */
function joinOf(plain: (tokens: readonly string[]) => string, clean: boolean, { bytes = false, whole = false } = {}): JoinTokens {
  const tidy = clean ? cleanUp : (text: string): string => text;
  const settled = (tokens: readonly string[]): string => {
    if (whole) return '';
    let count = tokens.length;
    while (bytes && count > 0 && BYTE.test(tokens[count - 1])) count--;
    const text = wholeCharacters(plain(tokens.slice(0, count)));
    return clean ? tidy(untouched(text)) : text;
  };
  return Object.assign((tokens: readonly string[]) => tidy(plain(tokens)), { settled });
}

/**
 * @param decoder `decoder` of tokenizer.json; without one, entries are joined by blanks
 * @param clean `clean_up_tokenization_spaces` of tokenizer_config.json
 * @throws NarrowsError for a decoder that is not known
 */
export function createJoin(decoder: Component | null | undefined, clean = false): JoinTokens {
  if (!decoder) return joinOf(tokens => tokens.join(' '), clean);
  // Rust drops every mark of the first token (unless nothing was put in front); the library drops one.
  if (decoder.type === 'Metaspace') {
    const mark = String(decoder.replacement ?? '▁');
    const first = decoder.prepend_scheme === 'never' ? ' ' : '';
    return joinOf(tokens => tokens.map((token, i) => token.replaceAll(mark, i === 0 ? first : ' ')).join(''), clean);
  }
  let chain: { decode(tokens: string[]): string };
  try {
    chain = new SequenceDecoder({ type: 'Sequence', decoders: [decoder] });
  } catch (error) {
    throw new NarrowsError(`tokenizer.json: the decoder ${JSON.stringify(decoder.type)} is not known.`, { cause: error });
  }
  const bytes = usesBytes(decoder);
  return joinOf(tokens => chain.decode(bytes ? repairBytes(tokens) : [...tokens]), clean, { bytes, whole: rewritesWhole(decoder) });
}

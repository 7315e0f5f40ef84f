/** @file The pre-tokenisers of tokenizer.json: they cut aligned text into the pieces that the model sees one at a time. */

import { NarrowsError } from '../../system/errors.ts';
import { type Aligned, mapCharacters, prepend, sliceAligned } from './aligned.ts';
import type { Component } from './component.ts';
import { compilePattern } from './normalize.ts';

/** Cuts one piece into several (empty ones are dropped). */
export type PreTokenize = (piece: Aligned) => Aligned[];

type Behavior = 'removed' | 'isolated' | 'contiguous' | 'mergedwithprevious' | 'mergedwithnext';
type Span = { from: number; to: number; match: boolean };

// As Rust's `regex` crate and `char` methods define them.
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}';
const SPACE = '\\p{White_Space}';
const PUNCTUATION = '[\\p{P}!-\\/:-@\\[-`{-~]';
const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

function mergeSpans(spans: readonly Span[], joins: (left: Span, right: Span) => boolean): Span[] {
  const merged: Span[] = [];
  let previous: Span | undefined;
  for (const span of spans) {
    if (previous && joins(previous, span)) merged[merged.length - 1].to = span.to;
    else merged.push({ ...span });
    previous = span;
  }
  return merged;
}

/** Cuts at every match of a global expression; `behavior` says what becomes of the matches, `invert` exchanges matches and gaps. */
export function splitMatches(piece: Aligned, pattern: RegExp, behavior: Behavior, invert = false): Aligned[] {
  const spans: Span[] = [];
  let last = 0;
  const add = (from: number, to: number, match: boolean): void => {
    if (to > from) spans.push({ from, to, match: match !== invert });
  };
  for (const match of piece.text.matchAll(pattern)) {
    add(last, match.index, false);
    last = match.index + match[0].length;
    add(match.index, last, true);
  }
  add(last, piece.text.length, false);
  const kept =
    behavior === 'removed'
      ? spans.filter(span => !span.match)
      : behavior === 'contiguous'
        ? mergeSpans(spans, (left, right) => left.match === right.match)
        : behavior === 'mergedwithprevious'
          ? mergeSpans(spans, (left, right) => right.match && !left.match)
          : behavior === 'mergedwithnext'
            ? mergeSpans(spans, (left, right) => left.match && !right.match)
            : spans;
  return kept.map(({ from, to }) => sliceAligned(piece, from, to));
}

/** GPT-2's printable stand-in for each byte. Source: `bytes_to_unicode` of openai/gpt-2 (printable Latin-1 stays, the rest moves to U+0100 on). */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  const table: string[] = [];
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    table.push(String.fromCharCode(printable ? byte : next++));
  }
  return table;
})();

const encoder = new TextEncoder();
const toBytes = (character: string): string => Array.from(encoder.encode(character), byte => BYTE_CHARACTERS[byte]).join('');

function metaspace(config: Component): PreTokenize {
  const mark = String(config.replacement ?? '▁');
  const scheme = config.prepend_scheme ?? (config.add_prefix_space === false ? 'never' : 'always');
  const pattern = compilePattern({ String: mark });
  return piece => {
    let marked = mapCharacters(piece, character => (character === ' ' ? mark : character));
    const wanted = scheme === 'always' || (scheme === 'first' && piece.starts[0] === 0);
    if (wanted && !marked.text.startsWith(mark)) marked = prepend(marked, mark);
    return config.split === false ? [marked] : splitMatches(marked, pattern, 'mergedwithnext');
  };
}

function byteLevel(config: Component): PreTokenize {
  const pattern = compilePattern({ Regex: GPT2 });
  return piece => {
    const spaced = config.add_prefix_space === true && !piece.text.startsWith(' ') ? prepend(piece, ' ') : piece;
    const parts = config.use_regex === false ? [spaced] : splitMatches(spaced, pattern, 'isolated');
    return parts.map(part => mapCharacters(part, toBytes));
  };
}

/** The pre-tokeniser that a `pre_tokenizer` entry describes. @throws NarrowsError for a type that is not known. */
export function createPreTokenizer(config: Component | null | undefined): PreTokenize {
  if (!config) return piece => [piece];
  const by =
    (source: string, behavior: Behavior, invert = false): PreTokenize =>
    piece =>
      splitMatches(piece, new RegExp(source, 'gu'), behavior, invert);
  const behavior = String(config.behavior ?? 'Isolated').toLowerCase() as Behavior;
  switch (config.type) {
    case 'Sequence': {
      const steps = ((config.pretokenizers ?? []) as Component[]).map(createPreTokenizer);
      return piece => steps.reduce((pieces, step) => pieces.flatMap(step), [piece]);
    }
    case 'Split': {
      const pattern = compilePattern(config.pattern);
      return piece => splitMatches(piece, pattern, behavior, config.invert === true);
    }
    case 'ByteLevel':
      return byteLevel(config);
    case 'Metaspace':
      return metaspace(config);
    case 'Whitespace':
      return by(`[${WORD}]+|[^${WORD}${SPACE}]+`, 'removed', true);
    case 'WhitespaceSplit':
      return by(SPACE, 'removed');
    case 'BertPreTokenizer': {
      const punctuation = by(PUNCTUATION, 'isolated');
      const spaces = by(SPACE, 'removed');
      return piece => spaces(piece).flatMap(punctuation);
    }
    case 'Punctuation':
      return by(PUNCTUATION, behavior);
    case 'Digits':
      return by('\\p{N}', config.individual_digits === true ? 'isolated' : 'contiguous');
    default:
      throw new NarrowsError(`tokenizer.json: the pre_tokenizer "${config.type}" is not supported.`);
  }
}

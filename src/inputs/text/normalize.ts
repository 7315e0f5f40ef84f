/** @file The normalisers of tokenizer.json, carried out on aligned text. Regular expressions are translated by @huggingface/tokenizers. */

import { NarrowsError } from '../../system/errors.ts';
import { type Aligned, blankEnds, mapCharacters, mapGraphemes, prepend, replaceMatches, sliceAligned } from './aligned.ts';
import type { Component } from './component.ts';
import { BertNormalizer, SplitPreTokenizer } from './library.ts';
import { precompiledNormalizer } from './precompiled.ts';
import { sentencePiece } from './sentencepiece/parts.ts';

/** Changes a piece of text. */
export type Normalize = (piece: Aligned) => Aligned;

/** `{ Regex }` (Oniguruma syntax) or `{ String }` as a global JavaScript expression. @throws NarrowsError when it cannot be translated. */
export function compilePattern(pattern: unknown): RegExp {
  let compiled: unknown = null;
  try {
    compiled = new SplitPreTokenizer({ type: 'Split', pattern, behavior: 'Isolated', invert: true }).pattern;
  } catch (error) {
    throw new NarrowsError(`tokenizer.json: the pattern ${JSON.stringify(pattern)} cannot be understood.`, { cause: error });
  }
  if (!(compiled instanceof RegExp)) throw new NarrowsError(`tokenizer.json: the pattern ${JSON.stringify(pattern)} cannot be understood.`);
  return compiled;
}

function strip(piece: Aligned, left: boolean, right: boolean): Aligned {
  const { front, back } = blankEnds(piece.text);
  // Of a text that is all blank, either end takes everything.
  if (front === piece.text.length && (left || right)) return sliceAligned(piece, 0, 0);
  return sliceAligned(piece, left ? front : 0, piece.text.length - (right ? back : 0));
}

/** The normaliser that a `normalizer` entry of tokenizer.json describes. @throws NarrowsError for a type that is not known. */
export function createNormalizer(config: Component | null | undefined): Normalize {
  if (!config) return piece => piece;
  switch (config.type) {
    case 'Sequence': {
      const steps = ((config.normalizers ?? []) as Component[]).map(createNormalizer);
      return piece => steps.reduce((text, step) => step(text), piece);
    }
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD': {
      const form = config.type;
      return piece => mapGraphemes(piece, text => text.normalize(form));
    }
    // Character by character as in Rust: JavaScript's own rule for a final sigma looks at neighbours.
    case 'Lowercase':
      return piece => mapCharacters(piece, character => character.toLowerCase());
    case 'StripAccents':
      return piece => mapCharacters(piece, character => character.replace(/\p{M}/gu, ''));
    case 'Replace': {
      const pattern = compilePattern(config.pattern);
      const content = String(config.content ?? '');
      return piece => replaceMatches(piece, pattern, content);
    }
    case 'Prepend':
      return piece => prepend(piece, String(config.prepend ?? ''));
    case 'Strip':
      return piece => strip(piece, config.strip_left !== false, config.strip_right !== false);
    case 'BertNormalizer': {
      const inner = new BertNormalizer(config);
      return piece => mapCharacters(piece, character => inner.normalize(character));
    }
    case 'Precompiled':
      return precompiledNormalizer(config.precompiled_charsmap as string | null | undefined);
    case 'SentencePiece':
      return sentencePiece().normalizer(config);
    default:
      throw new NarrowsError(`tokenizer.json: the normalizer "${config.type}" is not supported.`);
  }
}

/** @file SentencePiece's normaliser on aligned text. Source: normalizer.cc of google/sentencepiece. */

import { type Aligned, AlignedBuilder, sliceAligned } from '../aligned.ts';
import type { Component } from '../component.ts';
import { openCharsmap } from '../precompiled.ts';

/** U+2581, which stands for a blank in pieces. */
export const BLANK = '\u2581';

const encoder = new TextEncoder();

/** Python's `\s` for texts, which `str.strip` takes off, too. JavaScript's knows U+FEFF and lacks five control characters. */
const SPACES = '\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const RUN = new RegExp(`[${SPACES}]`);
/** Python's `string.punctuation`. */
const PUNCTUATION = /[!-/:-@[-`{-~]/;

/**
 * `canonicalize_text` of SigLIP's tokenizer: punctuation of ASCII falls away, runs of white space become one blank, none at the ends.
 * Source: transformers' tokenization_siglip.py, after big_vision's prompt_engineering.py.
 */
export function canonicalize(piece: Aligned): Aligned {
  const out = new AlignedBuilder();
  let blank: number | undefined;
  let any = false;
  for (let i = 0; i < piece.text.length; i++) {
    const unit = piece.text[i];
    if (PUNCTUATION.test(unit)) continue;
    if (RUN.test(unit)) {
      blank ??= i;
      continue;
    }
    if (blank !== undefined && any) out.push(' ', piece.starts[blank], piece.ends[blank]);
    blank = undefined;
    any = true;
    out.push(unit, piece.starts[i], piece.ends[i]);
  }
  return out.build();
}

/** Settings of the `SentencePiece` normaliser, which tokenizer.json does not know. */
interface Settings {
  readonly precompiled_charsmap?: string;
  readonly remove_extra_whitespaces: boolean;
  readonly escape_whitespaces: boolean;
  /** Texts that are never changed. */
  readonly user_defined: readonly string[];
  /** SigLIP's `canonicalize_text` first. */
  readonly canonicalize: boolean;
}

/**
 * The normaliser of a model file, for text that another piece stands before (SigLIP's tokenizer puts the unknown token in front and takes it
 * off again), so that a blank at the front is kept.
 */
export function sentencePieceNormalizer(config: Component): (piece: Aligned) => Aligned {
  const settings = config as unknown as Settings;
  const rules = settings.precompiled_charsmap ? openCharsmap(settings.precompiled_charsmap) : undefined;
  const kept = [...settings.user_defined].sort((a, b) => b.length - a.length);
  return given => {
    const piece = settings.canonicalize ? canonicalize(given) : given;
    const bytes = encoder.encode(piece.text);
    const out = new AlignedBuilder();
    let afterBlank = false;
    for (let [i, at] = [0, 0]; i < piece.text.length; ) {
      const symbol = kept.find(text => piece.text.startsWith(text, i));
      const character = String.fromCodePoint(piece.text.codePointAt(i) as number);
      const rule = symbol ? undefined : rules?.longest(bytes, at);
      let old = symbol ?? character;
      if (rule) {
        old = '';
        for (let length = 0; length < rule.length; ) {
          const next = String.fromCodePoint(piece.text.codePointAt(i + old.length) as number);
          old += next;
          length += encoder.encode(next).length;
        }
      }
      let text = rule?.text ?? old;
      if (afterBlank) text = text.replace(/^ +/, '');
      if (text !== '') {
        const escaped = settings.escape_whitespaces ? text.replaceAll(' ', BLANK) : text;
        out.push(escaped, piece.starts[i], piece.ends[i + old.length - 1]);
        afterBlank = settings.remove_extra_whitespaces && text.endsWith(' ');
      }
      i += old.length;
      at += encoder.encode(old).length;
    }
    const result = out.build();
    if (!settings.remove_extra_whitespaces) return result;
    let end = result.text.length;
    while (end > 0 && result.text[end - 1] === (settings.escape_whitespaces ? BLANK : ' ')) end--;
    return sliceAligned(result, 0, end);
  };
}

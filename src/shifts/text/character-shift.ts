/** @file The frame of every character shift, after nlpaug: which words, how many letters of them, and the text put together again. */
import type { RandomReader } from '../../tensor/random.ts';
import { atSeverity, type NlpaugVersion, type TextShift } from '../shift.ts';
import { detokenize, joinPieces, sampleFrom, splitProtected, tokenize } from './tokens.ts';

/** p = 0.05 r. */
export const RATES = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35];
const CHARACTER_SHARE = 0.3;
const MOST = 10;

/** What differs between character shifts. */
export interface CharacterRule {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  /** Words shorter than this are left as they are. */
  readonly shortest: number;
  /** Letters of a word that change at least, where it has so many that may; 1 by default. */
  readonly fewest?: Readonly<Record<NlpaugVersion, number>>;
  /** Which letters of a word may be changed; default all. */
  changes?(letter: string): boolean;
  /** The word with its letters at `places` (distinct, in random order) changed. */
  change(letters: string[], places: readonly number[], reader: RandomReader): string[];
}

/** A text shift from a rule: clamp(⌈p · words⌉, 1, 10) words of at least `shortest` letters, clamp(⌈0.3 · letters⌉, 1, 10) letters of each. */
export function characterShift(rule: CharacterRule): TextShift {
  return {
    name: rule.name,
    modality: 'text',
    severities: 7,
    summary: rule.summary,
    constants: `5 % x r of the words and marks (1 to 10)${rule.shortest > 1 ? `, among those of ${rule.shortest} letters or more` : ''}; 30 % of their letters (${rule.fewest ? `${rule.fewest['1.1.11']}, as nlpaug 1.1.7 ${rule.fewest['1.1.7']},` : '1'} to 10)`,
    source: rule.source,
    random: true,
    apply(text, severity, reader, { protect, nlpaug = '1.1.11', counts = nlpaug === '1.1.7' ? 'floor' : 'ceil' } = {}) {
      const rate = atSeverity(rule.name, severity, RATES);
      // 0.15 · 20 is a hair above 3, and is 3.
      const count = (share: number, size: number, least = 1) =>
        Math.min(MOST, Math.max(least, Math[counts](share * size - (counts === 'ceil' ? 1e-9 : -1e-9))));
      const pieces = splitProtected(text, protect);
      const tokens = pieces.map(piece => (piece.kept ? [] : tokenize(piece.text)));
      const places = tokens.flatMap((list, piece) => list.map((_, index) => [piece, index] as const));
      const eligible = places.filter(([piece, index]) => [...tokens[piece][index]].length >= rule.shortest);
      const changed = tokens.map(list => list.slice());
      let any = false;
      for (const [piece, index] of sampleFrom(eligible, count(rate, places.length), reader)) {
        const letters = [...tokens[piece][index]];
        const candidates = letters.flatMap((letter, i) => ((rule.changes?.(letter) ?? true) ? [i] : []));
        const chosen = sampleFrom(candidates, count(CHARACTER_SHARE, letters.length, rule.fewest?.[nlpaug]), reader);
        if (!chosen.length) continue;
        changed[piece][index] = rule.change(letters, chosen, reader).join('');
        any = true;
      }
      // Not tried again where nothing changed: nlpaug does not, either.
      if (!any) return text;
      const join = (list: readonly string[]): string => detokenize(list.filter(token => token !== ''));
      return joinPieces(
        pieces,
        pieces.map((piece, i) => (piece.kept ? piece.text : join(changed[i]))),
      );
    },
  };
}

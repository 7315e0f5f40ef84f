/** @file The frame of the word shifts: texts cut into words, changed all at once, put together again around what is protected. */
import type { RandomReader } from '../../tensor/random.ts';
import { atSeverity, type TextShift, type TextShiftOptions } from '../shift.ts';
import { RATES } from './character-shift.ts';
import { joinPieces, splitProtected } from './tokens.ts';

/** EDA's cleaning: apostrophes go, of all else but the letters a to z spaces are made, so that `and/or` is two words. */
export const lettersOnly = (text: string): string[] =>
  text
    .replace(/['’]/g, '')
    .toLowerCase()
    .replace(/[^a-z]/g, ' ')
    .split(' ')
    .filter(word => word !== '');

/** How often EDA changes something: ⌊p · words⌋, once at least. */
export const changeCount = (rate: number, words: number): number => Math.max(1, Math.floor(rate * words + 1e-9));

/** What differs between word shifts. */
export interface WordRule {
  readonly name: string;
  readonly summary: string;
  readonly constants: string;
  readonly source: string;
  split(text: string): string[];
  /** Changes the words of all free pieces at once: an item becomes another, or several, or `''` for none. */
  change(words: string[], rate: number, reader: RandomReader, options: TextShiftOptions): string[];
}

/** A text shift from a rule. A text of which `split` leaves no word (digits, another script) stays as it is. */
export function wordShift(rule: WordRule): TextShift {
  const { name, summary, constants, source } = rule;
  return {
    name,
    modality: 'text',
    severities: 7,
    summary,
    constants,
    source,
    random: true,
    apply(text: string, severity: number, reader: RandomReader, options: TextShiftOptions = {}) {
      const rate = atSeverity(name, severity, RATES);
      const pieces = splitProtected(text, options.protect);
      const words = pieces.map(piece => (piece.kept ? [] : rule.split(piece.text)));
      const all = words.flat();
      if (all.length === 0) return text;
      const changed = rule.change(all, rate, reader, options);
      let start = 0;
      const texts = pieces.map((piece, i) => {
        const part = changed.slice(start, start + words[i].length);
        start += words[i].length;
        return piece.kept ? piece.text : part.filter(word => word !== '').join(' ');
      });
      return joinPieces(pieces, texts);
    },
  };
}

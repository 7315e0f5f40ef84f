/** @file word_swap, word_delete, punctuation: words change places, go, or get marks between them. */
import type { RandomReader } from '../../tensor/random.ts';
import { atSeverity, type TextShift, type TextShiftOptions } from '../shift.ts';
import { RATES } from './character-shift.ts';
import { joinPieces, sampleFrom, splitProtected } from './tokens.ts';

const EDA = 'EDA (Wei and Zou, EMNLP 2019), without its synonyms, as MM_Robustness (Qiu et al., 2022) runs it';

/** EDA's cleaning: apostrophes go, of all else but the letters a to z spaces are made, so that `and/or` is two words. */
export const lettersOnly = (text: string): string[] =>
  text
    .replace(/['’]/g, '')
    .toLowerCase()
    .replace(/[^a-z]/g, ' ')
    .split(' ')
    .filter(word => word !== '');
const asTheyAre = (text: string): string[] => text.split(/\s+/).filter(word => word !== '');

interface WordRule {
  readonly name: string;
  readonly summary: string;
  readonly constants: string;
  readonly source: string;
  split(text: string): string[];
  /** Changes the words of all free pieces at once: an item becomes another, or several, or `''` for none. */
  change(words: string[], rate: number, reader: RandomReader): string[];
}

function wordShift(rule: WordRule): TextShift {
  const { name, summary, constants, source } = rule;
  return {
    name,
    modality: 'text',
    severities: 7,
    summary,
    constants,
    source,
    random: true,
    apply(text: string, severity: number, reader: RandomReader, { protect }: TextShiftOptions = {}) {
      const rate = atSeverity(name, severity, RATES);
      const pieces = splitProtected(text, protect);
      const words = pieces.map(piece => (piece.kept ? [] : rule.split(piece.text)));
      const all = words.flat();
      const changed = all.length ? rule.change(all, rate, reader) : all;
      let start = 0;
      const texts = pieces.map((piece, i) => {
        const own = changed.slice(start, start + words[i].length);
        start += words[i].length;
        return piece.kept ? piece.text : own.filter(word => word !== '').join(' ');
      });
      return joinPieces(pieces, texts);
    },
  };
}

/** max(1, ⌊p · words⌋) times, two words change places (EDA's RS). Small letters, no marks. */
export const wordSwap = wordShift({
  name: 'word_swap',
  summary: 'Lets random pairs of words change places; also lower case and without punctuation, as published.',
  constants: '5 % x r of the number of words, at least one swap',
  source: EDA,
  split: lettersOnly,
  change(words, rate, reader) {
    const out = words.slice();
    for (let n = Math.max(1, Math.floor(rate * words.length + 1e-9)); n > 0 && out.length > 1; n--) {
      const i = reader.integer(out.length);
      const j = (i + 1 + reader.integer(out.length - 1)) % out.length;
      [out[i], out[j]] = [out[j], out[i]];
    }
    return out;
  },
});

/** Each word goes with probability p; one stays at least (EDA's RD). Small letters, no marks. */
export const wordDelete = wordShift({
  name: 'word_delete',
  summary: 'Drops words at random, never all; also lower case and without punctuation, as published.',
  constants: 'each word with probability 5 % x r',
  source: EDA,
  split: lettersOnly,
  change(words, rate, reader) {
    const out = words.map(word => (reader.uniform() > rate ? word : ''));
    const spared = reader.integer(words.length);
    return out.some(word => word !== '') ? out : out.map((_, i) => (i === spared ? words[i] : ''));
  },
});

/** 1 to ⌊p · words + 1⌋ marks, each before another word (IP). */
export const punctuation = wordShift({
  name: 'punctuation',
  summary: 'Inserts marks (. , ! ? ; :) before random words.',
  constants: 'one mark to 5 % x r of the number of words plus one',
  source: 'AEDA (Karimi et al., EMNLP Findings 2021), as MM_Robustness (Qiu et al., 2022) runs it',
  split: asTheyAre,
  change(words, rate, reader) {
    const count = 1 + reader.integer(Math.max(1, Math.floor(rate * words.length + 1 + 1e-9)));
    const out = words.slice();
    for (const i of sampleFrom([...words.keys()], count, reader)) out[i] = `${reader.pick([...'.,!?;:'])} ${words[i]}`;
    return out;
  },
});

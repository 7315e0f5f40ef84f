/** @file word_swap, word_delete, punctuation: words change places, go, or get marks between them. */
import { sampleFrom } from './tokens.ts';
import { changeCount, lettersOnly, wordShift } from './word-shift.ts';

const EDA = 'EDA (Wei and Zou, EMNLP 2019), as MM_Robustness (Qiu et al., 2022) runs it';
const asTheyAre = (text: string): string[] => text.split(/\s+/).filter(word => word !== '');

/** max(1, ⌊p · words⌋) times, two words change places (EDA's RS). Small letters, no marks. */
export const wordSwap = wordShift({
  name: 'word_swap',
  summary: 'Lets random pairs of words change places; also lower case and without punctuation, as published.',
  constants: '5 % x r of the number of words, at least one swap',
  source: EDA,
  split: lettersOnly,
  change(words, rate, reader) {
    const out = words.slice();
    for (let n = changeCount(rate, words.length); n > 0 && out.length > 1; n--) {
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

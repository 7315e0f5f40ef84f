/** @file synonym_replacement, synonym_insertion: other words for the same things, in any sense of them. */
import { NarrowsError } from '../../system/errors.ts';
import type { RandomReader } from '../../tensor/random.ts';
import type { TextShiftOptions } from '../shift.ts';
import { STOP_WORDS } from './stop-words.ts';
import type { Synonyms } from './synonyms.ts';
import { changeCount, lettersOnly, wordShift } from './word-shift.ts';

const source = 'EDA (Wei and Zou, EMNLP 2019) with WordNet 3.0, as MM_Robustness (Qiu et al., 2022) runs it';
/** EDA gives an insertion up after so many words without synonyms. */
const TRIES = 10;

function tableOf(name: string, { synonyms }: TextShiftOptions): Synonyms {
  if (!synonyms) throw new NarrowsError(`${name} needs synonyms: pass them as \`synonyms\`, or call shiftText of shifts/apply.ts.`);
  return synonyms;
}

/** max(1, ⌊p · words⌋) different words that are no stop words and have synonyms become one of these, wherever they stand (EDA's SR). */
export const synonymReplacement = wordShift({
  name: 'synonym_replacement',
  summary: 'Replaces words by synonyms in any of their senses; also lower case and without punctuation, as published.',
  constants: '5 % x r of the number of words, at least one; stop words stay',
  source,
  split: lettersOnly,
  change(words, rate, reader, options) {
    const synonyms = tableOf('synonym_replacement', options);
    let out = words.slice();
    let left = changeCount(rate, words.length);
    for (const word of reader.shuffle([...new Set(words)].filter(w => !STOP_WORDS.has(w)))) {
      const others = synonyms(word);
      if (others.length === 0) continue;
      const other = reader.pick(others);
      out = out.map(w => (w === word ? other : w));
      if (--left === 0) break;
    }
    return out;
  },
});

/** A synonym of a random word of the list, stop words among them; undefined where ten words in a row have none. */
function someSynonym(words: readonly string[], synonyms: Synonyms, reader: RandomReader): string | undefined {
  for (let i = 0; i < TRIES; i++) {
    const others = synonyms(reader.pick(words));
    if (others.length > 0) return reader.pick(others);
  }
  return undefined;
}

/** max(1, ⌊p · words⌋) times, a synonym of some word comes before some word (EDA's RI); never at the very end, as published. */
export const synonymInsertion = wordShift({
  name: 'synonym_insertion',
  summary: 'Inserts synonyms of random words at random places; also lower case and without punctuation, as published.',
  constants: '5 % x r of the number of words, at least one',
  source,
  split: lettersOnly,
  change(words, rate, reader, options) {
    const synonyms = tableOf('synonym_insertion', options);
    // What stands before a word goes with it, so that words keep to their side of what is protected.
    const groups = words.map(word => [word]);
    for (let n = changeCount(rate, words.length); n > 0; n--) {
      const synonym = someSynonym(groups.flat(), synonyms, reader);
      if (synonym === undefined) continue;
      let place = reader.integer(groups.flat().length);
      let group = 0;
      while (place >= groups[group].length) place -= groups[group++].length;
      groups[group].splice(place, 0, synonym);
    }
    return groups.map(list => list.join(' '));
  },
});

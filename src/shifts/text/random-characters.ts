/** @file char_insert, char_substitute, char_swap, char_delete: random slips, after nlpaug's `RandomCharAug`. */
import { characterShift } from './character-shift.ts';

const ALPHABET = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*()_+'];
const source = "nlpaug's RandomCharAug, as MM_Robustness (Qiu et al., 2022) runs it";
const shortest = 4;
const descending = (places: readonly number[]) => [...places].sort((a, b) => b - a);

/** A random character before each chosen one (CI). */
export const charInsert = characterShift({
  name: 'char_insert',
  summary: 'Inserts random characters into words.',
  source,
  shortest,
  change(letters, places, reader) {
    for (const i of descending(places)) letters.splice(i, 0, reader.pick(ALPHABET));
    return letters;
  },
});

/** A random character instead of each chosen one (CR). */
export const charSubstitute = characterShift({
  name: 'char_substitute',
  summary: 'Replaces letters by random characters.',
  source,
  shortest,
  change(letters, places, reader) {
    for (const i of places) letters[i] = reader.pick(ALPHABET);
    return letters;
  },
});

const withCaseOf = (letter: string, pattern: string) => (pattern === pattern.toLowerCase() ? letter.toLowerCase() : letter.toUpperCase());

/** Each chosen one changes places with a neighbour; capitals stay where they were (CS). */
export const charSwap = characterShift({
  name: 'char_swap',
  summary: 'Swaps neighbouring letters within words.',
  source: `${source}; swaps one after another, so that no letter is lost where two overlap`,
  shortest,
  change(letters, places, reader) {
    for (const i of places) {
      const j = i === 0 ? 1 : i === letters.length - 1 ? i - 1 : i + reader.pick([-1, 1]);
      [letters[i], letters[j]] = [withCaseOf(letters[j], letters[i]), withCaseOf(letters[i], letters[j])];
    }
    return letters;
  },
});

/** Each chosen one goes (CD). */
export const charDelete = characterShift({
  name: 'char_delete',
  summary: 'Deletes letters from words.',
  source,
  shortest,
  change(letters, places) {
    for (const i of descending(places)) letters.splice(i, 1);
    return letters;
  },
});

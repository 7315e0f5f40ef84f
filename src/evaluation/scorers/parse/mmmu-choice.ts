/** @file The option of a multiple-choice answer as MMMU's `parse_multi_choice_response` reads it. */
import { lastOf, lettersOf, type Options } from './choice-options.ts';
import { stripCharacter, words } from './python-text.ts';

const MARKS = [',', '.', '!', '?', ';', ':', "'"];
/** Option texts are looked for only in answers of more words. */
const FEW_WORDS = 5;

/** How a letter may stand in an answer. The first form that any letter has is the one that counts. */
export interface LetterForm {
  readonly pattern: (letter: string) => string;
  /** What tells the last of several letters of this form. */
  readonly place: (letter: string) => string;
}

const same = (pattern: (letter: string) => string): LetterForm => ({ pattern, place: pattern });
/** `(B)`. */
export const BRACKETS = same(letter => `(${letter})`);
const BETWEEN_SPACES = same(letter => ` ${letter} `);

/** The rule that MMMU and lmms-eval share: letters in one of several forms, then texts of options; the last one said counts. */
export function parseByForms(answer: string, options: Options, forms: readonly LetterForm[]): string | null {
  const text = ` ${MARKS.reduce(stripCharacter, answer)} `;
  const letters = lettersOf(options);
  for (const { pattern, place } of forms) {
    const said = letters.filter(letter => text.includes(pattern(letter)));
    if (said.length > 0) return lastOf(said, letter => text.lastIndexOf(place(letter)));
  }
  if (words(text).length <= FEW_WORDS) return null;
  const lower = text.toLowerCase();
  const optionOf = (letter: string): string => options[letters.indexOf(letter)].toLowerCase();
  const named = letters.filter(letter => lower.includes(optionOf(letter)));
  return named.length > 0 ? lastOf(named, letter => lower.lastIndexOf(optionOf(letter))) : null;
}

/**
 * Marks at both ends go; then `(B)`, then a capital B between spaces, then, in answers of more than five words, an option's text: the last one
 * said counts. Null is where MMMU guesses at random: `B` with a line end, `A)`, `**B**`, `b`, a short option text.
 */
export const parseMmmuChoice = (answer: string, options: Options): string | null =>
  parseByForms(answer, options, [BRACKETS, BETWEEN_SPACES]);

/** @file The option of a multiple-choice answer as VLMEvalKit's `can_infer` reads it, without a judge model. */
import { lettersOf, type Options } from './choice-options.ts';
import { lengthOf, words } from './python-text.ts';

const REFUSALS = [
  "Sorry, I can't help with images of people yet.",
  "I can't process this file.",
  "I'm sorry, but without the image provided",
  'Cannot determine the answer',
];
const FAILED = 'Failed to obtain answer via API';
const MARKS = /[.()[\],:;!*#{}]/g;
/** A letter counts among the last words only. */
const LAST_WORDS = 4;
const SAID = /answer\s+is\s+\**([ABCD])/i;

/** The option by its letter; `Z` for a refusal. */
function byLetter(answer: string, letters: readonly string[]): string | null {
  if (answer.includes(FAILED)) return null;
  if (REFUSALS.some(refusal => answer.includes(refusal))) return 'Z';
  const said = words(answer.replace(MARKS, ' '));
  const named = letters.filter(letter => said.includes(letter));
  if (named.length === 1 && said.indexOf(named[0]) >= said.length - LAST_WORDS) return named[0];
  if (named.length === 0 && said.includes('Z')) return 'Z';
  const letter = SAID.exec(answer)?.[1].toUpperCase();
  return letter !== undefined && letters.includes(letter) ? letter : null;
}

/**
 * A letter that is the only one, stands as a word of its own and first appears among the last four words; else `answer is B` (A to D only); else
 * the only option whose text the answer holds, in an answer of at most twice the length of all options together.
 * @returns `Z` for a refusal (wrong), null where VLMEvalKit asks a judge model
 */
export function parseVlmEvalKitChoice(answer: string, options: Options): string | null {
  const letters = lettersOf(options);
  const letter = byLetter(answer, letters);
  if (letter !== null) return letter;
  const lower = answer.toLowerCase();
  if (lengthOf(lower) > 2 * options.reduce((sum, option) => sum + lengthOf(option), 0)) return null;
  const named = letters.filter((_, i) => lower.includes(options[i].toLowerCase()));
  return named.length === 1 ? named[0] : null;
}

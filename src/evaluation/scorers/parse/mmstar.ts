/** @file The option of a multiple-choice answer as MMStar's `MMStar_eval` credits it. */
import { lettersOf, type Options } from './choice-options.ts';
import { strip } from './python-text.ts';

const LEADS = ['option ', 'the answer is '];

/**
 * Letters that would be credited: the first character in any case (`Based on …` is B, `Answer: B` is A), the one behind a bracket that stands
 * first, and behind `option ` or `the answer is ` at the beginning.
 */
export function mmstarCredits(answer: string): string[] {
  const text = strip(answer.toLowerCase()).replaceAll('\n', ' ');
  const [first, second] = text;
  const lead = LEADS.find(words => text.startsWith(words));
  return [first, first === '(' ? second : undefined, lead && text[lead.length]].flatMap(letter => (letter ? [letter.toUpperCase()] : []));
}

/** The first credited letter that is an option's; null where there is none. */
export function parseMmstar(answer: string, options: Options): string | null {
  const letters = lettersOf(options);
  return mmstarCredits(answer).find(letter => letters.includes(letter)) ?? null;
}

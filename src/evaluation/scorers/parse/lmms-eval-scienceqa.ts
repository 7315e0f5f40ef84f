/** @file The option of an answer as lmms-eval's ScienceQA task reads it. */
import { lettersOf, type Options } from './choice-options.ts';
import { strip } from './python-text.ts';

/** The letter and nothing else, in any case; or a capital letter with a full stop at the start (`B.an axle` is B). */
export function parseLmmsEvalScienceQa(answer: string, options: Options): string | null {
  const text = strip(answer);
  const letter = text.length === 1 ? text.toUpperCase() : /^([A-Z])\./.exec(text)?.[1];
  return letter !== undefined && lettersOf(options).includes(letter) ? letter : null;
}

/** @file The option of a multiple-choice answer as lmms-eval's MMMU task reads it. */
import type { Options } from './choice-options.ts';
import { BRACKETS, type LetterForm, parseByForms } from './mmmu-choice.ts';

/** The last of several letters is recognised by spaces around it, whatever stood behind it. */
const before = (mark: string): LetterForm => ({ pattern: letter => letter + mark, place: letter => ` ${letter} ` });

/**
 * As MMMU's, but a letter only needs a space behind it (`ABC ` is C), or else a full stop. Null is where a guess is drawn.
 */
export const parseLmmsEvalMmmuChoice = (answer: string, options: Options): string | null =>
  parseByForms(answer, options, [BRACKETS, before(' '), before('.')]);

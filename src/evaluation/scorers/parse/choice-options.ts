/** @file Letters of options: A for the first. */

/** The options that a parser chooses among: their texts, A first. */
export type Options = readonly string[];

/** The letters of so many options. */
export const lettersOf = (options: Options): string[] => options.map((_, i) => letterOf(i));

/** The letter of option i, counted from 0. */
export const letterOf = (index: number): string => String.fromCharCode(65 + index);

/** The candidate whose text stands last; of several at one place (or nowhere) the first candidate, as numpy's argmax has it. */
export function lastOf(candidates: readonly string[], placeOf: (letter: string) => number): string {
  let best = candidates[0];
  for (const one of candidates) if (placeOf(one) > placeOf(best)) best = one;
  return best;
}

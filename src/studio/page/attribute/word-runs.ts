/** @file Words of a caption by the direction of their writing. */
import { rightToLeft } from '../../../report/attribution/glyphs.ts';

/** As the attribute `dir`. */
export type Direction = 'ltr' | 'rtl';

/** By the first letter. */
export const directionOf = (text: string): Direction => (rightToLeft(text) ? 'rtl' : 'ltr');

/** Stretches of words of one direction, by their places. Words without letters go with those before them. @param base of the caption */
export function runsOf(
  words: readonly { readonly text: string }[],
  base: Direction,
): readonly { readonly direction: Direction; readonly places: readonly number[] }[] {
  const runs: { direction: Direction; places: number[] }[] = [];
  for (const [i, { text }] of words.entries()) {
    const last = runs.at(-1);
    const direction = /\p{L}/u.test(text) ? directionOf(text) : (last?.direction ?? base);
    if (last?.direction === direction) last.places.push(i);
    else runs.push({ direction, places: [i] });
  }
  return runs;
}

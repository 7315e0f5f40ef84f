/** @file Phrases of a caption: the findings of a report, each with its place in the text. */
import { NarrowsError } from '../../system/errors.ts';

/** A phrase and where it stands in the caption, in UTF-16 code units. */
export interface Phrase {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Commas, semicolons, line ends and full stops part phrases; a stop or comma between digits does not (4.5 mm). */
const BREAKS = /[,;\n\r]+(?!\d)|(?<!\d)[,;]+|[.!?]+(?=\s|$)/g;

/** The phrases between commas, semicolons, full stops and line ends, without the blanks around them. */
export function phrasesByCommas(caption: string): Phrase[] {
  const phrases: Phrase[] = [];
  const add = (from: number, to: number): void => {
    const part = caption.slice(from, to);
    const text = part.trim();
    const start = from + (part.length - part.trimStart().length);
    if (/[\p{L}\p{N}]/u.test(text)) phrases.push({ text, start, end: start + text.length });
  };
  let last = 0;
  for (const match of caption.matchAll(BREAKS)) {
    add(last, match.index);
    last = match.index + match[0].length;
  }
  add(last, caption.length);
  return phrases;
}

/**
 * Phrases that are given by their words, in that order; upper and lower case are alike. One that is given twice stands for its next place.
 * @throws NarrowsError for a phrase that the caption does not hold
 */
export function phrasesByText(caption: string, texts: readonly string[]): Phrase[] {
  const lower = caption.toLowerCase();
  const from = new Map<string, number>();
  return texts.map(given => {
    const wanted = given.trim().toLowerCase();
    const start = wanted === '' ? -1 : lower.indexOf(wanted, from.get(wanted) ?? 0);
    if (start < 0)
      throw new NarrowsError(
        `The caption does not hold the phrase ${JSON.stringify(given.trim())}${from.has(wanted) ? ' once more' : ''}; give words as they stand in it.`,
        {
          kind: 'usage',
        },
      );
    from.set(wanted, start + wanted.length);
    return { text: caption.slice(start, start + wanted.length), start, end: start + wanted.length };
  });
}

/** Values of words that lie in a phrase, added up: a word counts by the share of it that lies inside. */
export function phraseValue(
  phrase: Phrase,
  words: readonly { readonly start: number; readonly end: number; readonly value: number }[],
): number {
  return words.reduce((sum, { start, end, value }) => {
    const inside = Math.min(end, phrase.end) - Math.max(start, phrase.start);
    return inside > 0 ? sum + (value * inside) / (end - start) : sum;
  }, 0);
}

/** @file Short answers made comparable, after the VQA evaluation: case, punctuation, articles, number words, contractions without apostrophe. */
import { processPunctuation } from '../parse/vlmevalkit-yes-no.ts';

const ARTICLES = new Set(['a', 'an', 'the']);
const NUMBERS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
/** Contractions whose apostrophe people leave out; words that are others without it (`its`, `were`, `well`) stay as they are. */
const CONTRACTIONS = new Map(
  [
    ["ain't", "aren't", "can't", "couldn't", "didn't", "doesn't", "don't", "hadn't", "hasn't", "haven't", "isn't", "mustn't", "shouldn't"],
    [
      "wasn't",
      "weren't",
      "won't",
      "wouldn't",
      "they're",
      "you're",
      "they've",
      "we've",
      "you've",
      "that's",
      "what's",
      "who's",
      "there's",
      "i'm",
    ],
  ]
    .flat()
    .map(word => [word.replace("'", ''), word]),
);

/**
 * An answer in the form in which answers are compared (Antol et al. 2015; the list of contractions is shorter than that of the official code): line
 * ends and tabs are spaces, punctuation is handled as `processPunctuation` says, words are in small letters, `two` is 2, articles go.
 */
export function normaliseAnswer(text: string): string {
  return processPunctuation(text.normalize('NFKC').replaceAll('’', "'").replace(/\s+/g, ' ').trim().toLowerCase())
    .split(/\s+/)
    .flatMap(word => {
      const number = NUMBERS.indexOf(word);
      if (number >= 0) return [String(number)];
      if (word === 'none') return ['0'];
      return word === '' || ARTICLES.has(word) ? [] : [CONTRACTIONS.get(word) ?? word];
    })
    .join(' ');
}

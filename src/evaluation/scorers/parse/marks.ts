/** @file The two marks of a review (LLaVA's form: the first line holds the mark of Assistant 1 and that of Assistant 2). */
import { stripThinking } from '../../../generation/thinking.ts';
import { strip, toFloat } from './python-text.ts';

/** Marks of Assistant 1 and Assistant 2. */
export type Marks = readonly [first: number, second: number];

/** Commas become spaces; two parts between single spaces, each a number to Python: so `8, 7` fails and `11 12`, `nan 7` pass. */
function pairOf(line: string): Marks | undefined {
  const parts = line.replaceAll(',', ' ').split(' ');
  if (parts.length !== 2) return undefined;
  const [first, second] = parts.map(toFloat);
  return first === undefined || second === undefined ? undefined : [first, second];
}

const firstLine = (text: string): string => text.split('\n', 1)[0];

/** `parse_score` of LLaVA, Vittle and VLMEvalKit. Undefined is a failure, which they keep in the means as a pair of -1. */
export const parseLlavaMarks = (review: string): Marks | undefined => pairOf(firstLine(review));

/** lmms-eval's on LLaVA-Bench (COCO): white space around the whole review is taken away first. */
export const parseLmmsEvalCocoMarks = (review: string): Marks | undefined => pairOf(firstLine(strip(review)));

/** lmms-eval's on LLaVA-Bench-Wilder: white space around the first line is taken away. */
export const parseLmmsEvalWilderMarks = (review: string): Marks | undefined => pairOf(strip(firstLine(review)));

const NUMBER_WORDS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
const MARK = `(?:[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:e\\d+)?|${NUMBER_WORDS.join('|')})`;
const OUT_OF = '(?:\\s*(?:/|out of)\\s*10(?:\\.0*)?)?';
const LABEL = '(?:assistant\\s*[12]\\s*[:=-]\\s*)?';
const GAP = '(?:\\s*(?:[,;|/–—-]|vs\\.?|and)\\s*|\\s+)';
const WRAP = '[*_`(\\[\\s]*';
const END = '[*_`)\\]\\s.]*(?:\\(out of 10\\)\\s*\\.?)?\\s*$';
const START = `^${WRAP}(?:scores?\\s*:\\s*)?${WRAP}`;
const PAIR = new RegExp(`${START}${LABEL}(${MARK})${OUT_OF}${GAP}${LABEL}(${MARK})${OUT_OF}${END}`, 'i');
/** One mark in a line; `8/10` is one, not two. */
const SINGLE = new RegExp(`${START}${LABEL}(${MARK})${OUT_OF}${END}`, 'i');

const markOf = (text: string): number => {
  const word = NUMBER_WORDS.indexOf(text.toLowerCase());
  return word >= 0 ? word : Number(text);
};

/**
 * What a person reads: two marks from 0 to 10 in a line (or one in each of two lines), however they are parted and adorned; thinking, code fences
 * and lines before them are passed over. The first such pair counts.
 * @returns undefined where there is none: such a review is a failure, and never counts as a mark
 */
export function parseMarks(review: string): Marks | undefined {
  const text = stripThinking(review).text.normalize('NFKC');
  const lines = text.split(/\r?\n/).filter(line => line.trim() !== '' && !line.trim().startsWith('```'));
  for (let i = 0; i < lines.length; i++) {
    const singles = lines.slice(i, i + 2).map(line => SINGLE.exec(line)?.[1]);
    const pair = singles[0] === undefined ? PAIR.exec(lines[i])?.slice(1, 3) : singles;
    if (pair?.length !== 2 || pair.includes(undefined)) continue;
    const [first, second] = (pair as string[]).map(markOf);
    // A pair that cannot be marks ends the search: what follows it is no verdict.
    return [first, second].every(mark => mark >= 0 && mark <= 10) ? [first, second] : undefined;
  }
  return undefined;
}

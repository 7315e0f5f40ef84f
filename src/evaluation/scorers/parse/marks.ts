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
const MARK = `([+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:e\\d+)?|${NUMBER_WORDS.join('|')})`;
const OUT_OF = '(?:\\s*(?:/|out of|of)\\s*10(?:\\.0*)?(?![\\d.]))?(?:\\s*points?\\b)?';
const GAP = '(?:\\s*(?:[,;:|/\\\\–—-]|vs\\.?|and|to)\\s*|\\s+)';
const WORD = '(?:scores?|marks?|ratings?|points?)';
/** `The scores are:` */
const LEAD = `(?:(?:(?:the|my|final|overall)\\s+)*${WORD}(?:\\s+(?:are|is|would be))?\\s*[:=-]?\\s*|i (?:rate|give|mark)(?: them)?:?\\s+)?`;
const PAIR = new RegExp(`^${LEAD}${MARK}${OUT_OF}(${GAP})${MARK}${OUT_OF}`, 'i');
/** One mark in a line; `8/10` is one, not two. */
const SINGLE = new RegExp(`^${LEAD}${MARK}${OUT_OF}[.!]?$`, 'i');
/** `Assistant 1 gets`, `Score 1:` */
const label = (n: number): string =>
  `(?:assistant|answer|response|${WORD})\\s*#?${n}\\b(?:\\s*(?:['’]s|${WORD}|gets|receives|is|[:=]|[–—-](?=\\s)))*\\s*${MARK}${OUT_OF}`;
/** Between two labels: nothing but punctuation and little words, or the rest of the line. */
const BETWEEN = `(?:(?:[^\\n0-9a-z]|and\\b|while\\b|${WORD}|for\\b)*|[^\\n]*\\n(?:[^0-9a-z]|${WORD}|for\\b)*)`;
const LABELLED = [
  [1, 2],
  [2, 1],
].map(([a, b]) => ({ turned: a === 2, form: new RegExp(`\\b${label(a)}${BETWEEN}${label(b)}`, 'i') }));
/** A list whose items are the marks. */
const LISTED = new RegExp(`^1[.)]\\s+${MARK}${OUT_OF}[.!]?\\n2[.)]\\s+${MARK}${OUT_OF}[.!]?(?:\\n|$)`, 'i');

const markOf = (text: string): number => {
  const word = NUMBER_WORDS.indexOf(text.toLowerCase());
  return word >= 0 ? word : Number(text);
};

/** What adorns marks: emphasis, quotes, brackets, headings. An underline inside of a word stays: `1_0` is no number. */
const bare = (line: string): string =>
  line
    .replaceAll(/[*`"“”()[\]{}]/g, ' ')
    .replaceAll(/(^|\s)[_#>'’]+|[_'’]+(?=\s|$)/g, '$1')
    .replaceAll(/\s+/g, ' ')
    .trim();

/** A pair at the beginning of a line, `unclear` where a person could not say which two numbers are the marks. */
function pairAt(line: string): readonly string[] | 'unclear' | undefined {
  const match = PAIR.exec(line);
  if (!match) return undefined;
  const [all, first, gap, second] = match;
  const rest = line.slice(all.length);
  if (/^\s*[,;|/–—-]?\s*[+-]?\d/.test(rest) || (gap.trim() === '/' && second === '10')) return 'unclear';
  // Words may follow behind a stop, or as a sentence of their own.
  return /^\s*[.!]?$|^\s*[-–—:;,.!]+\s|^\s+[A-Z]/.test(rest) ? [first, second] : undefined;
}

/** Two marks that begin in the first of some lines. */
function marksIn([line, ...following]: readonly string[]): readonly string[] | 'unclear' | undefined {
  const all = [line, ...following].join('\n');
  const listed = LISTED.exec(all);
  if (listed) return listed.slice(1, 3);
  for (const { turned, form } of LABELLED) {
    const match = form.exec(all);
    if (match && match.index < line.length) return turned ? [match[2], match[1]] : [match[1], match[2]];
  }
  const singles = [line, following[0] ?? ''].map(each => SINGLE.exec(each)?.[1]);
  if (singles[0] !== undefined) return singles[1] === undefined ? undefined : (singles as string[]);
  return pairAt(line);
}

/**
 * What a person reads: two marks from 0 to 10 in a line (or one in each of two lines), however they are parted, labelled and adorned; thinking, code
 * fences and lines before them are passed over. The first such pair counts.
 * @returns undefined where there is none: such a review is a failure, and never counts as a mark
 */
export function parseMarks(review: string): Marks | undefined {
  const text = stripThinking(review).text.normalize('NFKC');
  const lines = text
    .split(/\r?\n/)
    .filter(line => !line.trim().startsWith('```'))
    .map(bare)
    .filter(line => line !== '');
  for (const i of lines.keys()) {
    const said = marksIn(lines.slice(i, i + 4));
    if (said === undefined) continue;
    if (said === 'unclear') return undefined;
    const [first, second] = said.map(markOf);
    // A pair that cannot be marks ends the search: what follows it is no verdict.
    return [first, second].every(mark => mark >= 0 && mark <= 10) ? [first, second] : undefined;
  }
  return undefined;
}

/** @file Open answers as MMMU's `parse_open_response` and `eval_open` read and judge them. */
import { roundToCents, strip, stripCharacter, toFloat } from './python-text.ts';

const LEADS = ['could be ', 'so ', 'is ', 'thus ', 'therefore ', 'final ', 'answer ', 'result '];
const TRIVIAL = new Set([':', ',', '.', '!', '?', ';', "'"]);

/** `\b` of Python: letters, digits and `_` of any script on one side only. */
const BOUNDARY = '(?:(?<=[\\p{L}\\p{N}_])(?![\\p{L}\\p{N}_])|(?<![\\p{L}\\p{N}_])(?=[\\p{L}\\p{N}_]))';
const NUMBERS = [
  new RegExp(`-?${BOUNDARY}\\p{Nd}{1,3}(?:,\\p{Nd}{3})+${BOUNDARY}`, 'gu'),
  /-?\p{Nd}+(?:\.\p{Nd}+)?[eE][+-]?\p{Nd}+/gu,
  new RegExp(`-?(?:\\p{Nd}+\\.\\p{Nd}+|\\.\\p{Nd}+|\\p{Nd}+${BOUNDARY})(?![eE][+-]?\\p{Nd}+)(?![,\\p{Nd}])`, 'gu'),
];

/** What an answer is compared by: numbers to two decimals, texts in small letters; a lone character with a space on either side. */
export type OpenValue = number | string;

/** `normalize_str`. */
function normalise(text: string): OpenValue[] {
  const plain = strip(text);
  const value = toFloat(plain.replaceAll(',', ''));
  if (value !== undefined) return [roundToCents(value)];
  const lower = plain.toLowerCase();
  return [...lower].length === 1 ? [` ${lower}`, `${lower} `] : [lower];
}

/** The shortest text behind the last of each lead in a line; undefined where the line has none. */
function keyOf(line: string, leads: readonly string[]): string | undefined {
  let shortest: string | undefined;
  for (const lead of leads) {
    const place = line.lastIndexOf(lead);
    if (place < 0) continue;
    const rest = strip(line.slice(place + lead.length));
    // An empty one is replaced by whatever comes next.
    if (!shortest || rest.length < shortest.length) shortest = rest;
  }
  return shortest;
}

/**
 * The candidates of an answer: in each line the shortest text behind words such as `is`, `so` and `answer` (in the last line also behind `=`),
 * or else the whole answer; and the numbers in them. Sentences are not split, since the text is in small letters before they are looked
 * for. `.5` becomes 5, since full stops at both ends go first.
 */
export function parseMmmuOpen(answer: string): OpenValue[] {
  const text = stripCharacter(strip(answer), '.').toLowerCase();
  const lines = text.split('\n');
  const keys = lines.flatMap((line, i) => {
    const key = keyOf(line, i === lines.length - 1 ? [...LEADS, '='] : LEADS);
    return key && !TRIVIAL.has(key) ? [key] : [];
  });
  const texts = keys.length > 0 ? keys : [text];
  const numbers = texts.flatMap(part => NUMBERS.flatMap(pattern => part.match(pattern) ?? []));
  return [...new Set([...texts, ...numbers].flatMap(normalise))];
}

/**
 * Whether any candidate is right: a text that contains a right text (`excellent` contains `cell`), or an equal number. NaN equals nothing.
 * @param right the right answers as the set writes them
 */
export function isMmmuOpenRight(candidates: readonly OpenValue[], right: readonly string[]): boolean {
  const accepted = right.flatMap(normalise);
  return candidates.some(candidate =>
    typeof candidate === 'string'
      ? accepted.some(one => typeof one === 'string' && candidate.includes(one))
      : accepted.some(one => one === candidate),
  );
}

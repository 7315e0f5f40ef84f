/** @file The option of a multiple-choice answer as lmms-eval's `extract_mcq_answer` reads it (MMStar and other tasks). */
import { lettersOf, type Options } from './choice-options.ts';
import { strip, stripCharacter } from './python-text.ts';

const MARKS = [',', '.', '!', '?', ';', ':', "'", '"'];
const PHRASES = [
  ...['answer', 'choice'].flatMap(noun => [`${noun} is`, `the ${noun} is`]),
  ...['correct', 'best'].flatMap(word => ['answer', 'option'].flatMap(noun => [`${word} ${noun} is`, `the ${word} ${noun} is`])),
  ...['correct choice is', 'the correct choice is', 'i choose', 'i select', 'i pick', 'my answer is', 'my choice is'],
];
const PHRASES_OF_OTHER_LANGUAGES = ['옵션', '정답은', '답은', '답:', '答案是', '答案为', '选', '答えは'];

const LETTER = /\p{L}/u;

/** Where a letter stands in one form; undefined where it does not. */
type Place = (letter: string) => number | undefined;

const at = (index: number): number | undefined => (index < 0 ? undefined : index);

/** The letter that stands last in a form; the first of the options where two stand at one place. */
function last(letters: readonly string[], place: Place): string | undefined {
  let best: string | undefined;
  let furthest = -1;
  for (const letter of letters) {
    const found = place(letter);
    if (found !== undefined && found > furthest) [best, furthest] = [letter, found];
  }
  return best;
}

/** Where the letter first stands behind the first place of a phrase; of several phrases the one that puts it furthest. */
function afterPhrase(text: string): Place {
  const lower = text.toLowerCase();
  const ends = [...PHRASES, ...PHRASES_OF_OTHER_LANGUAGES].flatMap(phrase => {
    const start = lower.indexOf(phrase);
    return start < 0 ? [] : [start + phrase.length];
  });
  return letter => {
    const places = ends.map(end => text.indexOf(letter, end)).filter(place => place >= 0);
    return places.length > 0 ? Math.max(...places) : undefined;
  };
}

/**
 * Capital letters only, by forms in order of trust: at the start with no letter behind it, at the end with no letter before it, behind a phrase
 * such as `answer is`, `(B)`, `B.`, `B:`, `B)`, a letter before a space, and at last any capital letter of an option (`Cost is unclear` is C).
 * Within a form the last one counts.
 * @returns null where there is none, which counts as wrong
 */
export function parseLmmsEvalChoice(answer: string, options: Options): string | null {
  const letters = lettersOf(options);
  const core = MARKS.reduce(stripCharacter, strip(answer));
  const text = ` ${core} `;
  const bare = strip(core);
  const [first, second] = bare;
  const [end, beforeEnd] = [...bare].reverse();
  const stands = (letter: string, outer: string | undefined, inner: string | undefined): number | undefined =>
    letter === outer && (inner === undefined || !LETTER.test(inner)) ? 0 : undefined;
  const behind =
    (mark: string): Place =>
    letter =>
      at(text.lastIndexOf(letter + mark));
  const forms: Place[] = [
    letter => stands(letter, first, second),
    letter => stands(letter, end, beforeEnd),
    afterPhrase(text),
    letter => at(text.lastIndexOf(`(${letter})`)),
    ...['.', ':', ')', ' '].map(behind),
    letter => at(text.lastIndexOf(letter)),
  ];
  for (const place of forms) {
    const found = last(letters, place);
    if (found !== undefined) return found;
  }
  return null;
}

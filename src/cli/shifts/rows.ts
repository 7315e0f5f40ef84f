/** @file Rows of question files, any of the public forms: where their words and pictures stand, and the rows with others in their place. */
import { NarrowsError } from '../../system/errors.ts';

type Fields = Readonly<Record<string, unknown>>;
type Change = (text: string, turn: number) => Promise<string>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
const USERS = ['human', 'user'];
/** Keys of a question's words, in the order in which they count. */
const WORDS = ['text', 'question'];

/** The row as an object. @throws NarrowsError */
export function rowOf(value: unknown, where: string): Fields {
  if (isObject(value)) return value;
  throw new NarrowsError(`${where}: this is not a JSON object.`);
}

/** A turn with its words changed: a text, or a list of parts of which those of text count. */
async function changedTurn(turn: Fields, change: (text: string) => Promise<string>): Promise<Fields> {
  const key = turn.value === undefined ? 'content' : 'value';
  const content = turn[key];
  if (typeof content === 'string') return { ...turn, [key]: await change(content) };
  if (!Array.isArray(content)) return turn;
  const parts: unknown[] = [];
  for (const part of content as readonly unknown[])
    parts.push(isObject(part) && part.type === 'text' && typeof part.text === 'string' ? { ...part, text: await change(part.text) } : part);
  return { ...turn, [key]: parts };
}

/**
 * The row with its questions changed: the turns of the user in `conversations` or `messages`, else `text` or `question`. All else stays.
 * @param change is given the number of the user's turn, from 0
 * @throws NarrowsError for a row without words
 */
export async function changeWords(row: Fields, where: string, change: Change): Promise<Fields> {
  const key = ['conversations', 'messages'].find(name => Array.isArray(row[name]));
  if (key !== undefined) {
    const turns: unknown[] = [];
    let number = 0;
    for (const turn of row[key] as readonly unknown[]) {
      const asked = isObject(turn) && USERS.includes(String(turn.from ?? turn.role));
      const at = number;
      turns.push(asked ? await changedTurn(turn, text => change(text, at)) : turn);
      if (asked) number++;
    }
    if (number === 0) throw new NarrowsError(`${where}: no turn is the user's ("human" or "user"), so there is no question to change.`);
    return { ...row, [key]: turns };
  }
  const words = WORDS.find(name => typeof row[name] === 'string');
  if (words === undefined)
    throw new NarrowsError(
      `${where}: the row has no question: give it as "text", "question", "conversations" or "messages"; its keys are ${Object.keys(row).slice(0, 6).join(', ') || 'none'}.`,
    );
  return { ...row, [words]: await change(row[words] as string, 0) };
}

/** A picture that a row names. */
export interface NamedPicture {
  readonly key: 'image' | 'images';
  /** Place in a list; undefined where the row names one by itself. */
  readonly index?: number;
  /** As written. */
  readonly path: string;
}

/** The pictures that a row names under `image` or `images`. @throws NarrowsError for one that is no path */
export function picturesIn(row: Fields, where: string): NamedPicture[] {
  const found: NamedPicture[] = [];
  for (const key of ['image', 'images'] as const) {
    const value = row[key];
    if (value === undefined || value === null || value === '') continue;
    const list = Array.isArray(value) ? (value as readonly unknown[]) : [value];
    list.forEach((one, i) => {
      if (typeof one !== 'string' || one === '' || /^(data|https?):/i.test(one))
        throw new NarrowsError(
          `${where}: "${key}" does not name a file; pictures inside of rows, and addresses, must be saved to files first.`,
        );
      found.push({ key, path: one, ...(Array.isArray(value) ? { index: i } : {}) });
    });
  }
  return found;
}

/** The row with its pictures at other paths, in the order of `picturesIn`. */
export function withPictures(row: Fields, pictures: readonly NamedPicture[], paths: readonly string[]): Fields {
  const out: Record<string, unknown> = { ...row };
  pictures.forEach(({ key, index }, i) => {
    if (index === undefined) out[key] = paths[i];
    else out[key] = (out[key] as readonly unknown[]).map((one, j) => (j === index ? paths[i] : one));
  });
  return out;
}

/** Lines that offer answers, `A. a cat`, `(B) a dog`: two or more in a row, with the line ends before them. */
const OPTIONS = /(?:\n[ \t]*\(?[A-Z][.):][ \t]+[^\n]+){2,}/g;

/** The lists of answers in a question, which no shift may change. */
export const optionLists = (text: string): string[] => [...new Set(text.match(OPTIONS) ?? [])];

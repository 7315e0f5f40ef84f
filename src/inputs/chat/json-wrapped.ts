/** @file An object around a list of records, as TextVQA, VQA and many exports write their files: the list is taken out of it. */
import { NarrowsError } from '../../system/errors.ts';

/** A record and where it stands: `data.jsonl, line 7` or `data.json, entry 3 (line 40)`. */
export interface JsonRecord {
  readonly value: unknown;
  readonly where: string;
}

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
/** An object with one of these keys is a record, whatever lists it holds. */
const RECORD_KEYS = ['conversations', 'messages', 'question_id', 'question', 'text'];

/** Keys that hold a list of objects, of an object that is no record itself. */
const listKeys = (value: Fields): string[] =>
  Object.keys(value).filter(key => {
    const list = value[key];
    return Array.isArray(list) && list.length > 0 && list.every(isObject);
  });

/** Whether a value looks like an object around records, and not like a record. */
export const isWrapper = (value: unknown): value is Fields =>
  isObject(value) && !RECORD_KEYS.some(key => Object.hasOwn(value, key)) && Object.values(value).some(Array.isArray);

/**
 * The records of a file that is one JSON object: of the list in it, or the object itself where it is a record. Where a record stands names the
 * key that its list was found under.
 * @throws NarrowsError naming the keys where none or several of them hold a list of objects
 */
export function* wrappedRecords(value: unknown, file: string): Generator<JsonRecord> {
  if (!isWrapper(value)) {
    yield { value, where: `${file}, entry 1` };
    return;
  }
  const lists = listKeys(value);
  if (lists.length !== 1) {
    const keys = Object.keys(value).slice(0, 8).join(', ');
    const which = lists.length ? `the lists ${lists.join(', ')}, and nothing says which counts` : 'no list of records';
    throw new NarrowsError(`${file} is one JSON object (${keys}) with ${which}; write the list of records to a separate file.`);
  }
  const [key] = lists;
  for (const [i, one] of (value[key] as readonly unknown[]).entries()) yield { value: one, where: `${file}, entry ${i + 1} of "${key}"` };
}

/** @file Records of a JSON list or of JSON lines out of pieces of text, one at a time. */

import { jsonErrorIndex } from '../../checkpoints/json-position.ts';
import { NarrowsError } from '../../system/errors.ts';
import { parseExact } from '../../system/exact-json.ts';
import { isWrapper, type JsonRecord, wrappedRecords } from './json-wrapped.ts';

/** A record this long is a list whose bracket was never closed. */
const LONGEST = 2 ** 26;
/** A file that is one object is read whole, up to so many characters. */
const LARGEST = 2 ** 28;
const CODE = { quote: 34, comma: 44, backslash: 92, open: 91, close: 93, brace: 123, braceEnd: 125, line: 10 } as const;
/** Ends a string, escapes a character of it, or a line end that has no place in it. */
const SPECIAL = /["\\\n]/g;
const isSpace = (c: number): boolean => c === 32 || c === 9 || c === 10 || c === 13;

/** Parses text that begins at a line and column (from 1) of a file. @throws NarrowsError with the line and column of the mistake */
function parseAt(text: string, file: string, line: number, column: number): unknown {
  try {
    return parseExact(text);
  } catch {
    // Without the engine's words, which quote the file.
    const end = text.trimEnd().length;
    const index = Math.min(jsonErrorIndex(text) ?? end, end);
    const before = text.slice(0, index).split('\n');
    const found = index < end ? `unexpected ${JSON.stringify(text[index])}` : 'the text ends too early';
    const last = before.at(-1) as string;
    const at = before.length > 1 ? last.length + 1 : column + index;
    throw new NarrowsError(`${file} is not valid JSON: ${found} at line ${line + before.length - 1}, column ${at}.`);
  }
}

/** Whether a text is the beginning of JSON that goes on behind it. */
const isOpen = (text: string): boolean => jsonErrorIndex(text) === text.length;

/** Rows of a text with their numbers, blank ones left out. */
async function* rowsOf(chunks: AsyncIterable<string>): AsyncGenerator<{ text: string; line: number }> {
  let rest = '';
  let line = 0;
  for await (const chunk of chunks) {
    const rows = (rest + chunk).split('\n');
    rest = rows.pop() as string;
    for (const text of rows) {
      line++;
      if (text.trim() !== '') yield { text, line };
    }
  }
  if (rest.trim() !== '') yield { text: rest, line: line + 1 };
}

/** JSON lines, or one JSON object that begins in the first line and goes on behind it. */
async function* lines(chunks: AsyncIterable<string>, file: string): AsyncGenerator<JsonRecord> {
  const rows = rowsOf(chunks);
  const first = (await rows.next()).value as { text: string; line: number };
  if (isOpen(first.text)) return yield* object(first, rows, file);
  let held: JsonRecord | undefined = { value: parseAt(first.text, file, first.line, 1), where: `${file}, line ${first.line}` };
  if (!isWrapper(held.value)) {
    yield held;
    held = undefined;
  }
  for await (const { text, line } of rows) {
    if (held) yield held;
    held = undefined;
    yield { value: parseAt(text, file, line, 1), where: `${file}, line ${line}` };
  }
  if (held) yield* wrappedRecords(held.value, file);
}

/** One object over several lines. */
async function* object(
  first: { readonly text: string; readonly line: number },
  rows: AsyncIterable<{ readonly text: string; readonly line: number }>,
  file: string,
): AsyncGenerator<JsonRecord> {
  let [whole, last, second] = [first.text, first.line, ''];
  for await (const { text, line } of rows) {
    second ||= text;
    // Blank lines are kept, so that the lines of an error count.
    whole += '\n'.repeat(line - last) + text;
    last = line;
    if (whole.length > LARGEST)
      throw new NarrowsError(`${file} is one JSON object of more than ${LARGEST >> 20} MB; write its list of records to a separate file.`);
  }
  // A first line that was cut, with whole ones behind it.
  if (second !== '' && jsonErrorIndex(second) === undefined && jsonErrorIndex(whole) !== undefined)
    parseAt(first.text, file, first.line, 1);
  yield* wrappedRecords(parseAt(whole, file, first.line, 1), file);
}

async function* entries(chunks: AsyncIterable<string>, file: string): AsyncGenerator<JsonRecord> {
  let state: 'open' | 'first' | 'next' | 'after' | 'done' = 'open';
  let [line, lineStart, base, count] = [1, 0, 0, 0];
  let [depth, inString, escaped, pending] = [0, false, false, ''];
  let start = { line: 1, column: 1 };
  for await (const chunk of chunks) {
    let from = 0;
    for (let i = 0; i < chunk.length; i++) {
      if (inString && !escaped) {
        // Most of a file is strings: on to the next character that means something in one.
        SPECIAL.lastIndex = i;
        if (!SPECIAL.test(chunk)) break;
        i = SPECIAL.lastIndex - 1;
      }
      const c = chunk.charCodeAt(i);
      if (c === CODE.line) {
        line++;
        lineStart = base + i + 1;
      }
      if (inString) {
        if (escaped) escaped = false;
        else if (c === CODE.backslash) escaped = true;
        else if (c === CODE.quote) inString = false;
      } else if (depth > 0) {
        if (c === CODE.quote) inString = true;
        else if (c === CODE.brace || c === CODE.open) depth++;
        else if (c === CODE.braceEnd || c === CODE.close) depth--;
        if (depth > 0) continue;
        const value = parseAt(pending + chunk.slice(from, i + 1), file, start.line, start.column);
        pending = '';
        state = 'after';
        yield { value, where: `${file}, entry ${++count} (line ${start.line})` };
      } else if (state === 'open' && c === CODE.open) state = 'first';
      else if ((state === 'first' || state === 'next') && c === CODE.brace) {
        depth = 1;
        from = i;
        start = { line, column: base + i - lineStart + 1 };
      } else if (state === 'after' && c === CODE.comma) state = 'next';
      else if ((state === 'first' || state === 'after') && c === CODE.close) state = 'done';
      else if (!isSpace(c)) {
        const at = `line ${line}, column ${base + i - lineStart + 1}`;
        throw new NarrowsError(`${file} should hold a list of JSON objects: unexpected ${JSON.stringify(chunk[i])} at ${at}.`);
      }
    }
    base += chunk.length;
    if (depth > 0) pending += chunk.slice(from);
    if (pending.length > LONGEST) break;
  }
  if (depth > 0) parseAt(pending, file, start.line, start.column);
  if (state !== 'done') throw new NarrowsError(`${file} is not valid JSON: the text ends too early at line ${line}.`);
}

/** The chunks without a byte order mark, and the first character that is not white space. */
async function opened(stream: AsyncGenerator<string>): Promise<{ first: string | undefined; chunks: AsyncIterable<string> }> {
  const next = async (): Promise<string | undefined> => {
    const { value, done } = await stream.next();
    return done ? undefined : value;
  };
  const head: string[] = [];
  let first: string | undefined;
  for (let chunk = await next(); chunk !== undefined; chunk = await next()) {
    head.push(chunk);
    first = chunk.trimStart()[0];
    if (first !== undefined) break;
  }
  async function* chunks(): AsyncGenerator<string> {
    try {
      yield* head;
      for (let chunk = await next(); chunk !== undefined; chunk = await next()) yield chunk;
    } finally {
      await stream.return(undefined);
    }
  }
  return { first, chunks: chunks() };
}

/**
 * The records of a JSON list of objects, or of one JSON value per line; which of them follows from the first character.
 * @param file named in sentences @throws NarrowsError with file, line and column where the text is not JSON, or for an empty text
 */
export async function* recordsOfText(chunks: AsyncGenerator<string>, file: string): AsyncGenerator<JsonRecord> {
  const { first, chunks: text } = await opened(chunks);
  if (first === undefined) throw new NarrowsError(`${file} is empty; it should hold conversations.`);
  yield* first === '[' ? entries(text, file) : lines(text, file);
}

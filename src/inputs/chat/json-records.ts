/** @file Records of a JSON list or of JSON lines, one at a time: instruction data may be larger than a string can be. */
import { textChunks } from '../text-file.ts';
import { recordsOfText } from './json-chunks.ts';
import type { JsonRecord } from './json-wrapped.ts';

export type { JsonRecord } from './json-wrapped.ts';

/**
 * Reads a JSON list of objects, or one JSON value per line; which of them follows from the first character. Memory stays that of a record.
 * A file that is one object is read whole: the records are those of the list in it.
 * @throws NarrowsError with file, line and column where the text is not JSON, or for an empty file
 */
export async function* jsonRecords(file: string): AsyncGenerator<JsonRecord> {
  yield* recordsOfText(textChunks(file), file);
}

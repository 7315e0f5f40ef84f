/** @file What the tests of loaders share: fixtures, and rows as `rows.json` has them. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { QuestionPicture } from '../question.ts';

/** Folder of the fixtures. */
export const TESTDATA = fileURLToPath(new URL('../testdata', import.meta.url));
/** A path below the tables. */
export const table = (...parts: readonly string[]): string => join(TESTDATA, 'tables', ...parts);
/** A path below the folders in their authors' forms. */
export const folder = (...parts: readonly string[]): string => join(TESTDATA, 'folders', ...parts);

/** SHA-256 as hex digits. */
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A row as it should be read. Keys and kinds differ from set to set. */
// biome-ignore lint/suspicious/noExplicitAny: a row of whatever set
export type ExpectedRow = Record<string, any>;

/** The rows of a set as they should be read. */
export const rowsJson = (set: string): ExpectedRow[] => JSON.parse(readFileSync(table(set, 'rows.json'), 'utf8'));

/** Hash of a picture's pixels, as `rgb_sha256` in `rows.json`. */
export const pixels = async (picture: QuestionPicture): Promise<string> => sha256((await picture.read()).data);

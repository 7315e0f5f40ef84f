/** @file What an audit remembers of a pair that is done: enough for its tables and its index, without opening the picture again. */
import type { Attribution } from '../../attribution/result.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import type { ListedPair } from '../../inputs/pairs/read-pairs.ts';
import { indexRow } from '../../report/attribution/bound.ts';
import type { IndexRow } from '../../report/attribution/html-index.ts';

/** A pair that failed, and why. */
export interface Failure {
  readonly listed: ListedPair;
  readonly reason: string;
}

/** A row of the index with the words, the patches and the files of a pair. */
export interface AuditRecord extends IndexRow {
  /** What the values of words and patches are. */
  readonly unit?: Attribution['unit'];
  readonly words?: readonly { readonly text: string; readonly value: number; readonly unknown?: true }[];
  readonly grid?: readonly [number, number];
  /** Raw values, row by row. */
  readonly patches?: readonly number[];
  /** Further columns of the list, as they stand there. */
  readonly further?: Readonly<Record<string, unknown>>;
  /** Relative to the audit's directory. */
  readonly files: readonly string[];
}

/** The record of a result. @param image path as the list has it */
export async function makeRecord(result: Attribution, image: RgbImage, path: string, files: readonly string[]): Promise<AuditRecord> {
  const href = files.find(file => file.endsWith('.html')) ?? files.find(file => file.endsWith('.svg') || file.endsWith('.png'));
  return {
    ...(await indexRow(result, image, href)),
    image: path,
    unit: result.unit,
    words: result.text?.words.map(({ text, value, unknown }) => ({ text, value, ...(unknown ? { unknown } : {}) })),
    grid: result.image?.grid,
    patches: result.image && Array.from(result.image.patches, v => Number(v.toPrecision(7))),
    files,
  };
}

/** @file What an audit remembers of a pair that is done: enough for its tables and its index, without opening the picture again. */
import type { Attribution } from '../../attribution/result.ts';
import type { PlacedMap } from '../../evaluation/compare/data/inside-box.ts';
import type { Rectangle, RgbImage } from '../../inputs/image/rgb-image.ts';
import type { ListedPair } from '../../inputs/pairs/pair-rows.ts';
import { type IndexRow, rowOf } from '../../report/attribution/index-row.ts';
import { dataUri } from '../../report/attribution/picture.ts';
import { sharpCodec } from '../../report/attribution/sharp-codec.ts';
import { smallPicture } from '../../report/attribution/thumbnail.ts';

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
  /** Where the patches lie, in pixels of the picture. */
  readonly view?: Rectangle;
  /** The picture's, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Relative to the audit's directory. */
  readonly files: readonly string[];
}

/** The record of a result; its thumbnail is bare, since the scale of its map is that of the whole audit. @param image path as the list has it */
export async function makeRecord(result: Attribution, image: RgbImage, path: string, files: readonly string[]): Promise<AuditRecord> {
  const href = files.find(file => file.endsWith('.html')) ?? files.find(file => file.endsWith('.svg') || file.endsWith('.png'));
  return {
    ...rowOf(result, href),
    thumbnail: await dataUri(sharpCodec, await smallPicture(sharpCodec, image), 'small'),
    width: image.width,
    height: image.height,
    image: path,
    unit: result.unit,
    words: result.text?.words.map(({ text, value, unknown }) => ({ text, value, ...(unknown ? { unknown } : {}) })),
    grid: result.image?.grid,
    view: result.image?.view,
    patches: result.image && Array.from(result.image.patches, v => Number(v.toPrecision(7))),
    files,
  };
}

/** The record's map of the image and where it lies; undefined where there is none. */
export const placedMap = ({ grid, patches, view, width, height }: AuditRecord): PlacedMap | undefined =>
  grid && patches && view ? { grid, patches, view, size: { width, height } } : undefined;

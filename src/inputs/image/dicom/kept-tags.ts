/** @file Tags of a DICOM file that a person asked to keep. */
import type { DataSet } from 'dicom-parser';
import { NarrowsError } from '../../../system/errors.ts';

/** What a tag looks like in a flag. */
export const TAG_FORM = 'a tag is eight hexadecimal digits, such as 0018,0015 or 00180015';

/** A tag as the parser names it. @throws NarrowsError for what is none */
export function parseTag(text: string): string {
  const digits = text.replace(/[(), ]/g, '').toLowerCase();
  if (!/^[0-9a-f]{8}$/.test(digits)) throw new NarrowsError(`"${text}" is no DICOM tag; ${TAG_FORM}.`, { kind: 'usage' });
  return `x${digits}`;
}

/** Texts of chosen tags that the file has, under their numbers (`0018,0015`). Binary values are left out. @throws NarrowsError for what is no tag */
export function keptTags(dataSet: DataSet, tags: readonly string[]): Readonly<Record<string, string>> {
  const out: Record<string, string> = {};
  for (const tag of tags) {
    const name = parseTag(tag);
    const text = dataSet.string(name);
    if (text === undefined || /[^\P{C}\t\n]/u.test(text)) continue;
    out[`${name.slice(1, 5)},${name.slice(5)}`] = text.trim();
  }
  return out;
}

/** @file What a form of truth is: a file of boxes or masks as a public set of radiographs has them, read into one list. */
import type { Rle } from '../../../../scenes/rle.ts';

/** Where one phrase of one picture is. */
export interface TruthRecord {
  /** Name of the picture: a path, or the set's id of it, for which an ending is looked for. */
  readonly image: string;
  /** The class, by the set's own name. */
  readonly label: string;
  /** What a report says of it, where the set has it. */
  readonly phrase?: string;
  /** [left, top, width, height] in pixels; several boxes may belong to one phrase. */
  readonly boxes: readonly (readonly number[])[];
  /** In place of boxes. */
  readonly mask?: Rle;
  /** Size of the picture where the file says it. */
  readonly size?: { readonly width: number; readonly height: number };
  /** How sentences about it begin: `boxes.csv, line 3`. */
  readonly where: string;
}

/** One form: an entry of the registry. */
export interface TruthForm {
  /** As on the command line. */
  readonly name: string;
  readonly title: string;
  /** What it looks like, in one sentence. */
  readonly reading: string;
  readonly source: string;
  /** Whether a file is of this form, by its columns (CSV) or its value (JSON). */
  fits(content: { readonly columns?: readonly string[]; readonly json?: unknown }): boolean;
  /**
   * Reads a file. @returns records, equal phrases of a picture put together, and in `none` the pictures that are said to show nothing
   * @throws NarrowsError in one sentence that names file and place
   */
  read(file: string): Promise<TruthList>;
}

/** What a file holds. */
export interface TruthList {
  readonly records: readonly TruthRecord[];
  /** Pictures without a finding. */
  readonly none: readonly string[];
}

/** Puts records of one picture, label and phrase together: their boxes are one truth. */
export function gathered(records: readonly TruthRecord[]): TruthRecord[] {
  const byKey = new Map<string, TruthRecord>();
  for (const record of records) {
    const key = JSON.stringify([record.image, record.label, record.phrase ?? null]);
    const before = byKey.get(key);
    byKey.set(key, before ? { ...before, boxes: [...before.boxes, ...record.boxes] } : record);
  }
  return [...byKey.values()];
}

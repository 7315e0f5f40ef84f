/** @file Pictures of VLMEvalKit's TSV files: base64 text, a list of such texts, or the index of a row that holds them. */
import { optionalText, type TableRow, textOf } from '../../../inputs/tables/table.ts';
import { NarrowsError } from '../../../system/errors.ts';
import { pythonList } from './python-list.ts';

/** A text as short as this is the index of another row. */
const LONGEST_INDEX = 64;

/**
 * Fills in pictures that stand in other rows: gives the row with `image` as base64 text, or a list of texts. One function per file; rows that are referred to
 * come first, as VLMEvalKit writes them. @throws NarrowsError naming row and index where there is no such row
 */
export function tsvImages(): (row: TableRow) => TableRow {
  const known = new Map<string, { readonly image: unknown; readonly index: string }>();
  return row => {
    const index = textOf(row, 'index');
    const text = optionalText(row, 'image');
    if (text === undefined) return row;
    let entry: { readonly image: unknown; readonly index: string };
    if (text.length <= LONGEST_INDEX && /^\d+$/.test(text)) {
      const found = known.get(text);
      if (!found)
        throw new NarrowsError(`${row.where}: the picture is that of row ${text}, which does not stand above; is the file complete?`);
      entry = found;
    } else entry = { image: text.startsWith('[') ? (pythonList(text) ?? text) : text, index };
    known.set(index, entry);
    // The name tells pictures apart and shows which rows share one.
    return { ...row, values: { ...row.values, image: entry.image, image_path: row.values.image_path ?? `image ${entry.index}` } };
  };
}

/** Texts of the options in columns A, B, …, up to the first that is missing. @throws NarrowsError for one that is no text */
export function lettersOf(row: TableRow): string[] {
  const out: string[] = [];
  for (let code = 65; code <= 90; code++) {
    const option = optionalText(row, String.fromCharCode(code));
    if (option === undefined) break;
    out.push(option);
  }
  return out;
}

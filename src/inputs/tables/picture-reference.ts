/**
 * @file Names of pictures that stand in a parquet file: `pairs.parquet#12:image` is column `image` of row 12, from 1. They go wherever the path of a
 * picture goes: into lists, to worker threads, into results and commands.
 */
import { NarrowsError } from '../../system/errors.ts';
import type { ByteCell } from './table.ts';

const REFERENCE = /^(.+\.parquet)#([1-9]\d*):(.+)$/is;

/** Parts of such a name; undefined for an ordinary path. */
export function parsePictureReference(path: string): { readonly file: string; readonly row: number; readonly column: string } | undefined {
  const [, file, row, column] = REFERENCE.exec(path) ?? [];
  return file === undefined ? undefined : { file, row: Number(row), column };
}

/** The name of a cell. */
export const pictureReference = (file: string, row: number, column: string): string => `${file}#${row}:${column}`;

/** The file in which a picture stands: the path itself, or the parquet file of such a name. */
export const pictureFile = (path: string): string => parsePictureReference(path)?.file ?? path;

/** Cells of the file that was read last: what a list asks for comes from one file. */
let open: { readonly file: string; readonly stamp: string; readonly cells: Promise<ReadonlyMap<string, readonly unknown[]>> } | undefined;

async function cellsOf(file: string): Promise<ReadonlyMap<string, readonly unknown[]>> {
  // Loaded when needed: most pictures are files.
  const { tableRows } = await import('./read-table.ts');
  const { ByteCell } = await import('./table.ts');
  const columns = new Map<string, unknown[]>();
  let row = 0;
  for await (const { values } of tableRows(file)) {
    for (const [name, value] of Object.entries(values)) {
      if (!(value instanceof ByteCell)) continue;
      const cells = columns.get(name) ?? [];
      columns.set(name, cells);
      cells[row] = value;
    }
    row++;
  }
  return columns;
}

/**
 * The bytes of a picture by such a name. Rows near each other are cheap: a row group of the file stays in memory.
 * @param stamp changes when the file does @throws NarrowsError for a damaged file, or a row or column that it lacks
 */
export async function readReference(path: string, stamp: string): Promise<Uint8Array> {
  const { file, row, column } = parsePictureReference(path)!;
  if (open?.file !== file || open.stamp !== stamp) open = { file, stamp, cells: cellsOf(file) };
  const cell = (await open.cells).get(column)?.[row - 1] as ByteCell | undefined;
  if (!cell?.hasBytes) throw new NarrowsError(`Image ${path} does not exist: ${file} has no picture in column ${column} of row ${row}.`);
  return cell.read();
}

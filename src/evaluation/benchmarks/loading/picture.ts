/** @file The pictures of a set's rows: bytes of parquet cells, base64 text, records of bytes and path, files next to the table. */
import { decodeImage } from '../../../inputs/image/decode.ts';
import { readImageFile } from '../../../inputs/image/image-file.ts';
import type { DataPlace } from '../../../inputs/tables/data-folder.ts';
import { ByteCell, kindOf, type TableRow } from '../../../inputs/tables/table.ts';
import { existsSync } from '../../../node/disk.ts';
import { dirname, isAbsolute, join } from '../../../node/paths.ts';
import { messageOf, NarrowsError } from '../../../system/errors.ts';
import type { LoadOptions } from '../benchmark.ts';
import type { QuestionPicture } from '../question.ts';

const PICTURE = /\.(png|jpe?g|webp|gif|avif|tiff?|bmp|p[bgpn]m)$/i;
/** A text as short as this is a path. */
const SHORTEST_BASE64 = 48;

function isBase64(text: string): boolean {
  if (text.startsWith('data:')) return true;
  return text.length >= SHORTEST_BASE64 && !PICTURE.test(text.slice(-8)) && /^[A-Za-z0-9+/=\s]+$/.test(text.slice(0, 512));
}

function fromBase64(text: string, source: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text.replace(/^data:[^,]*,/, '').replace(/\s+/g, '')), c => c.charCodeAt(0));
  } catch (cause) {
    throw new NarrowsError(`${source}: the picture is no base64 text (${messageOf(cause)}).`, { cause });
  }
}

/** Finds and reads pictures of one set. */
export class Pictures {
  private readonly byName = new Map<string, string>();
  /** Where names were found: many questions share a picture. */
  private readonly found = new Map<string, string | undefined>();

  /** @param folders where the set's pictures lie below its folder, such as `val2014` */
  constructor(
    private readonly place: DataPlace,
    private readonly options: LoadOptions,
    private readonly folders: readonly string[] = [],
  ) {
    for (const path of place.files)
      if (PICTURE.test(path)) this.byName.set(path.slice(path.lastIndexOf('/') + 1), join(place.folder, path));
  }

  private picture(id: string, source: string, bytes: () => Promise<Uint8Array>): QuestionPicture {
    const { pictures } = this.options;
    return { id, source, bytes, read: async options => decodeImage(await bytes(), { ...pictures, ...options, name: source }) };
  }

  private path(name: string, row: TableRow): string | undefined {
    const folder = dirname(row.file);
    const key = `${folder}\0${name}`;
    if (!this.found.has(key)) this.found.set(key, this.search(name, folder));
    return this.found.get(key);
  }

  private search(name: string, folder: string): string | undefined {
    const roots = [
      folder,
      join(folder, 'images'),
      this.place.folder,
      ...['images', ...this.folders].map(one => join(this.place.folder, one)),
    ];
    const candidates = isAbsolute(name) ? [name] : roots.map(root => join(root, name));
    return (
      candidates.find(path => existsSync(path)) ?? this.byName.get(name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1))
    );
  }

  /** A picture by its file's name. @throws NarrowsError naming row and file where it is missing (unless only answers are scored) */
  file(name: string, row: TableRow, id = name): QuestionPicture {
    const found = this.path(name, row);
    const missing = (): NarrowsError =>
      new NarrowsError(
        `${row.where}: the picture ${name} is neither next to the file nor below ${this.place.folder}${this.folders.length ? ` (${this.folders.join(', ')})` : ''}; put the pictures there.`,
      );
    if (found !== undefined) return this.picture(id, found, () => readImageFile(found));
    if (!this.options.answersOnly) throw missing();
    return this.picture(id, name, () => Promise.reject(missing()));
  }

  /**
   * The picture of a cell; undefined for an empty one.
   * @param id the same for the same picture of the set; by default the path that the cell names, or the row
   * @throws NarrowsError naming row and column for a cell that holds no picture
   */
  of(cell: unknown, row: TableRow, column: string, id?: string): QuestionPicture | undefined {
    if (cell === null || cell === undefined || cell === '') return undefined;
    const source = `${row.where}, column ${column}`;
    if (cell instanceof ByteCell) {
      if (!cell.hasBytes) return this.file(cell.path as string, row, id);
      return this.picture(id ?? cell.path ?? cell.source, cell.source, () => cell.read());
    }
    if (typeof cell === 'string')
      return isBase64(cell) ? this.picture(id ?? source, source, async () => fromBase64(cell, source)) : this.file(cell, row, id);
    const { bytes, path } = cell as { readonly bytes?: unknown; readonly path?: unknown };
    if (typeof bytes === 'string')
      return this.picture(id ?? (typeof path === 'string' ? path : source), source, async () => fromBase64(bytes, source));
    if (typeof path === 'string' && path !== '') return this.file(path, row, id);
    throw new NarrowsError(`${source} should hold a picture (bytes, base64 text or a file's name), but holds ${kindOf(cell)}.`);
  }
}

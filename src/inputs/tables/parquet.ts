/** @file Rows of a parquet file, one row group after the other; bytes of pictures are read for the rows that are asked for. */
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { readRange } from '../../node/files.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { lz4Hadoop, lz4Raw } from './lz4.ts';
import { type ByteColumn, splitSchema } from './parquet-schema.ts';
import { ByteCell, type TableRow } from './table.ts';

// The library's LZ4 stops at a block that ends without literals, which is what pyarrow writes for a page without values.
const CODECS = { ...compressors, LZ4: lz4Hadoop, LZ4_RAW: lz4Raw };
/** Decoded columns of row groups that are kept for the next picture, and the most bytes of them (a larger one is kept by itself). */
const KEPT = { groups: 8, bytes: 64 * 2 ** 20 };
/** Columns of more bytes are read page by page, where the file has an index of its pages and these are small. */
const LARGE = 16 * 2 ** 20;
/** Least bytes of a page's entry in that index, and the largest page on average. Older writers put a thousand pictures into one page. */
const PAGE = { entry: 10, bytes: 4 * 2 ** 20 };

/** A row group's place in the file. */
interface Group {
  readonly index: number;
  readonly first: number;
  readonly rows: number;
}

/** Safe whole numbers as numbers, deeply: parquet's 64-bit columns are bigints. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  return value;
}

/** An open parquet file. No handle stays open between reads. */
class ParquetFile {
  private readonly file: AsyncBuffer;
  private readonly groups: Group[] = [];
  private readonly kept = new Map<string, { readonly values: Promise<readonly unknown[]>; readonly bytes: number }>();
  private metadata!: FileMetaData;
  private split!: ReturnType<typeof splitSchema>;

  constructor(
    private readonly path: string,
    size: number,
  ) {
    this.file = { byteLength: size, slice: async (from, to = size) => (await readRange(path, from, to - from)).buffer };
  }

  /** Reads the footer. @throws NarrowsError where it is damaged */
  async open(): Promise<this> {
    this.metadata = await this.guarded('', () => parquetMetadataAsync(this.file));
    this.split = splitSchema(this.metadata);
    let first = 0;
    for (const [index, group] of this.metadata.row_groups.entries()) {
      const rows = Number(group.num_rows);
      if (rows > 0) this.groups.push({ index, first, rows });
      first += rows;
    }
    return this;
  }

  private async guarded<T>(where: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof NarrowsError && error.message.startsWith(this.path)) throw error;
      const reason = messageOf(error).replace(/\.$/, '');
      throw new NarrowsError(`${this.path}${where} cannot be read as parquet (${reason}); fetch the file again.`, { cause: error });
    }
  }

  private read(metadata: FileMetaData, { first, rows }: Group, columns?: string[]): Promise<Record<string, unknown>[]> {
    return this.guarded(`, rows ${first + 1} to ${first + rows}`, () =>
      parquetReadObjects({
        file: this.file,
        metadata,
        rowStart: first,
        rowEnd: first + rows,
        compressors: CODECS,
        utf8: false,
        useOffsetIndex: true,
        ...(columns ? { columns } : {}),
      }),
    );
  }

  /** A column with bytes of one row group, kept for the next rows as long as there is room. */
  private async column(group: Group, name: string): Promise<readonly unknown[]> {
    const key = `${group.index}\0${name}`;
    const known = this.kept.get(key);
    if (known) {
      this.kept.delete(key);
      this.kept.set(key, known);
      return known.values;
    }
    const bytes = this.bytesOf(group, name);
    let total = bytes + [...this.kept.values()].reduce((sum, one) => sum + one.bytes, 0);
    // Room is made first: two large row groups are never in memory together.
    for (const [old, { bytes: freed }] of this.kept) {
      if (this.kept.size < KEPT.groups && total <= KEPT.bytes) break;
      this.kept.delete(old);
      total -= freed;
    }
    const values = this.read(this.metadata, group, [name]).then(rows => rows.map(row => row[name]));
    this.kept.set(key, { values, bytes });
    return values.catch((error: unknown) => {
      this.kept.delete(key);
      throw error;
    });
  }

  private chunks(group: Group, name: string) {
    return this.metadata.row_groups[group.index].columns.filter(({ meta_data }) => meta_data?.path_in_schema[0] === name);
  }

  /** Bytes of a column of one row group when it is decoded. */
  private bytesOf(group: Group, name: string): number {
    return this.chunks(group, name).reduce((sum, { meta_data }) => sum + Number(meta_data?.total_uncompressed_size ?? 0), 0);
  }

  /** One value of a column with bytes: only its page is read where the column is large and the file says where its pages are. */
  private async value(group: Group, name: string, row: number): Promise<unknown> {
    const bytes = this.bytesOf(group, name);
    const pages = this.chunks(group, name).map(({ offset_index_length = 0 }) => offset_index_length / PAGE.entry);
    const paged = bytes > LARGE && Math.min(...pages) > 0 && bytes / Math.max(...pages) < PAGE.bytes;
    if (!paged) return (await this.column(group, name))[row];
    const [found] = await this.read(this.metadata, { ...group, first: group.first + row, rows: 1 }, [name]);
    return found[name];
  }

  /** How many values of a column's bytes are null; undefined where the file does not say. */
  private nulls(group: Group, column: ByteColumn): number | undefined {
    const chunk = this.chunks(group, column.name).find(
      ({ meta_data }) => column.kind === 'bytes' || meta_data?.path_in_schema[1] === 'bytes',
    );
    const count = chunk?.meta_data?.statistics?.null_count;
    return count === undefined ? undefined : Number(count);
  }

  /** Which cells of a column hold bytes; undefined where only the column itself can say. */
  private present(group: Group, column: ByteColumn, rows: readonly Record<string, unknown>[]): ((row: number) => boolean) | undefined {
    const nulls = this.nulls(group, column);
    if (column.kind === 'list' || nulls === undefined) return undefined;
    if (nulls === 0) return () => true;
    if (nulls === group.rows) return () => false;
    if (!column.hasPath) return undefined;
    const given = (row: number): boolean => rows[row][column.name] !== null && rows[row][column.name] !== undefined;
    // As many records are missing as bytes are: then every record that is there has its bytes.
    return rows.filter((_, row) => !given(row)).length === nulls ? given : undefined;
  }

  private cell(group: Group, column: ByteColumn, row: number, where: string, value: unknown, hasBytes: boolean): ByteCell | null {
    const path = value !== null && typeof value === 'object' ? (value as { readonly path?: unknown }).path : undefined;
    const named = typeof path === 'string' && path !== '' ? path : undefined;
    if (!hasBytes && named === undefined) return null;
    const source = `${where}, column ${column.name}`;
    return new ByteCell(source, named, hasBytes, async () => {
      const found = await this.value(group, column.name, row);
      const bytes = found instanceof Uint8Array ? found : (found as { readonly bytes?: unknown } | null)?.bytes;
      if (!(bytes instanceof Uint8Array)) throw new NarrowsError(`${source} holds no bytes.`);
      // A copy: the cache may then let the rest of the page go.
      return bytes.slice();
    });
  }

  private list(group: Group, column: ByteColumn, row: number, where: string, value: unknown): unknown {
    if (!Array.isArray(value)) return null;
    return value.map((one: unknown, i) => {
      if (one === null || one === undefined) return null;
      const source = `${where}, column ${column.name}, item ${i + 1}`;
      const path = (one as { readonly path?: unknown }).path;
      return new ByteCell(source, typeof path === 'string' ? path : undefined, true, async () => {
        const found = ((await this.value(group, column.name, row)) as readonly unknown[])[i];
        const bytes = found instanceof Uint8Array ? found : (found as { readonly bytes?: unknown } | null)?.bytes;
        if (!(bytes instanceof Uint8Array)) throw new NarrowsError(`${source} holds no bytes.`);
        return bytes.slice();
      });
    });
  }

  /** All rows in their order. */
  async *rows(signal?: AbortSignal): AsyncGenerator<TableRow> {
    for (const group of this.groups) {
      signal?.throwIfAborted();
      const light = this.split.light.row_groups[group.index].columns.length > 0;
      const rows = light ? await this.read(this.split.light, group) : Array.from({ length: group.rows }, () => ({}));
      const cells = new Map<string, (row: number, where: string) => unknown>();
      for (const column of this.split.bytes) {
        const present = this.present(group, column, rows);
        const values = present ? undefined : await this.column(group, column.name);
        cells.set(column.name, (row, where) => {
          const value = values ? values[row] : (rows[row] as Record<string, unknown>)[column.name];
          if (column.kind === 'list') return this.list(group, column, row, where, value);
          const bytes = value instanceof Uint8Array || (value as { readonly bytes?: unknown } | null)?.bytes instanceof Uint8Array;
          return this.cell(group, column, row, where, value, present ? present(row) : bytes);
        });
      }
      for (const [i, row] of rows.entries()) {
        const where = `${this.path}, row ${group.first + i + 1}`;
        const entries = this.split.columns.map(name => {
          const cell = cells.get(name);
          return [name, cell ? cell(i, where) : plain((row as Record<string, unknown>)[name])] as const;
        });
        yield { values: Object.fromEntries(entries), where, file: this.path };
      }
    }
  }
}

/**
 * The rows of a parquet file. Only what is not bytes is read, a row group at a time; a `ByteCell` reads its column of its row group, and the
 * last ones are kept. Text is text by the file's schema, never by a guess.
 * @param size bytes of the file
 * @throws NarrowsError naming file and rows for a damaged file or a codec that is not known
 */
export async function* parquetRows(path: string, size: number, signal?: AbortSignal): AsyncGenerator<TableRow> {
  yield* (await new ParquetFile(path, size).open()).rows(signal);
}

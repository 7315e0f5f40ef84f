/** @file A remote file into the page's store: by ranges, resumed after a stop, checked by its hash, kept for the next visit. */
import { NarrowsError } from '../../system/errors.ts';
import { createSha256, hex, sha256Hex } from '../../system/sha256.ts';
import { bodyPieces, type FetchOptions, fetchPiece, type Piece, persist } from './fetch-range.ts';
import { memoryStore, type SegmentStore } from './store.ts';

/** Bytes of a request, and of what a stop can lose. */
export const SEGMENT = 16 << 20;

/** A file somewhere else. */
export interface RemoteFile {
  readonly name: string;
  readonly url: string;
  /** Bytes, where a list says so. */
  readonly size?: number;
  /** Of its bytes, hexadecimal: checked before anything is read. */
  readonly sha256?: string;
  /** Changes with the content; without it the server is asked. */
  readonly identity?: string;
}

/** How a file is fetched. */
export interface DownloadOptions extends FetchOptions {
  readonly store: SegmentStore;
  /** Bytes of the file that are here, and all of them where they are known. */
  readonly onBytes?: (loaded: number, total: number | undefined) => void;
  readonly onWarning?: (message: string) => void;
}

/** The file's bytes, from the store where it is complete there. @throws NarrowsError in one sentence; the signal's reason when aborted */
export async function downloadFile(file: RemoteFile, options: DownloadOptions): Promise<Blob> {
  const known = file.identity ?? (file.sha256 && file.size !== undefined ? file.sha256 : undefined);
  if (known !== undefined && file.size !== undefined) {
    const place = new Place(options.store, file, known, file.size);
    const whole = await place.whole();
    if (whole) options.onBytes?.(file.size, file.size);
    return whole ?? fetchRest(file, place, undefined, options);
  }
  // The first range tells size and validator.
  const first = await fetchPiece(file.url, { from: 0, to: SEGMENT }, options);
  const { total = first.ranged ? undefined : file.size, validator } = first;
  if (total === undefined || !first.ranged || total === 0) return fetchStream(file, first, options);
  const stored = validator === undefined ? memoryStore() : options.store;
  const place = new Place(stored, file, validator ?? '', total);
  const whole = await place.whole();
  if (!whole) return fetchRest(file, place, first, options);
  await first.response.body?.cancel();
  options.onBytes?.(total, total);
  return whole;
}

/** Where a file's segments stand in a store. */
class Place {
  private readonly prefix: string;
  constructor(
    private readonly store: SegmentStore,
    private readonly file: RemoteFile,
    readonly identity: string,
    readonly size: number,
  ) {
    this.prefix = sha256Hex(JSON.stringify([file.url, identity, size, file.sha256])).slice(0, 32);
  }

  get count(): number {
    return Math.max(1, Math.ceil(this.size / SEGMENT));
  }

  range(i: number): { from: number; to: number } {
    return { from: i * SEGMENT, to: Math.min(this.size, (i + 1) * SEGMENT) };
  }

  /** A kept segment; one of another length is none. */
  async get(i: number): Promise<Blob | undefined> {
    const blob = await this.store.get(`${this.prefix}.${i}`);
    const { from, to } = this.range(i);
    return blob?.size === to - from ? blob : undefined;
  }

  put(i: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.store.put(`${this.prefix}.${i}`, bytes);
  }

  /** All of it, where it was finished (and checked) before. */
  async whole(): Promise<Blob | undefined> {
    if (!(await this.store.get(`${this.prefix}.done`))) return undefined;
    const parts = await Promise.all(Array.from({ length: this.count }, (_, i) => this.get(i)));
    return parts.every(part => part !== undefined) ? new Blob(parts) : undefined;
  }

  /** Checks the hash and notes that nothing is missing. @throws NarrowsError for other bytes, which are forgotten */
  async finish(): Promise<Blob> {
    const hash = createSha256();
    const parts: Blob[] = [];
    for (let i = 0; i < this.count; i++) {
      const part = await this.get(i);
      if (!part) throw new NarrowsError(`The browser lost a part of ${this.file.url} while it was stored; free disk space and try again.`);
      parts.push(part);
      if (this.file.sha256) hash.update(new Uint8Array(await part.arrayBuffer()));
    }
    const found = this.file.sha256 ? hex(hash.digest()) : undefined;
    if (found !== this.file.sha256) {
      await this.store.forget(this.prefix);
      throw new NarrowsError(
        `${this.file.url} is not the file that was promised: its SHA-256 is ${found}, not ${this.file.sha256}; try again, and check the address.`,
      );
    }
    await this.store.put(`${this.prefix}.done`, new Uint8Array([1]));
    return new Blob(parts);
  }
}

/** Reads a body whole, up to `most` bytes. @param tell called with the bytes so far */
async function readBody(
  url: string,
  { response }: Piece,
  most: number,
  tell: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  let bytes = new Uint8Array(Math.min(most, SEGMENT));
  let at = 0;
  for await (const piece of bodyPieces(url, response, signal)) {
    if (at + piece.length > bytes.length) {
      const more = new Uint8Array(Math.max(2 * bytes.length, at + piece.length));
      more.set(bytes.subarray(0, at));
      bytes = more;
    }
    bytes.set(piece, at);
    at += piece.length;
    tell(at);
  }
  return at === bytes.length ? bytes : bytes.slice(0, at);
}

/** Fetches the segments that the store lacks. @param first the answer to the first range, not yet read */
async function fetchRest(file: RemoteFile, place: Place, first: Piece | undefined, options: DownloadOptions): Promise<Blob> {
  const { onBytes, signal } = options;
  let loaded = 0;
  for (let i = 0; i < place.count; i++) {
    const { from, to } = place.range(i);
    const kept = await place.get(i);
    if (kept) {
      if (i === 0) await first?.response.body?.cancel();
    } else {
      let given = i === 0 ? first : undefined;
      const bytes = await persist(async () => {
        const piece = given ?? (await fetchPiece(file.url, { from, to }, { ...options, retries: 0 }));
        given = undefined;
        // A whole answer to a range: the server knows none.
        if (!piece.ranged && !(piece.response.status === 206 && piece.total === undefined) && place.count > 1) return piece;
        if (first && piece.validator !== first.validator)
          throw new NarrowsError(`${file.url} was changed while it was downloaded; load the model again.`);
        return readBody(file.url, piece, to - from, at => onBytes?.(loaded + at, place.size), signal);
      }, options);
      if (!(bytes instanceof Uint8Array)) return fetchStream(file, bytes, options);
      if (bytes.length !== to - from)
        throw new NarrowsError(
          `${file.url} gave ${bytes.length} bytes where ${to - from} were to come; it was changed or cut short, load the model again.`,
        );
      await place.put(i, bytes);
    }
    loaded += to - from;
    onBytes?.(loaded, place.size);
  }
  return place.finish();
}

/** A server without ranges: read in one go, into the store where it can be known again. */
async function fetchStream(file: RemoteFile, first: Piece, options: DownloadOptions): Promise<Blob> {
  const { onBytes, signal } = options;
  const identity = file.identity ?? file.sha256 ?? first.validator;
  const size = first.total ?? file.size;
  let piece = first;
  if (first.response.status === 206) {
    // A range whose place the answer does not tell.
    await first.response.body?.cancel();
    piece = await fetchPiece(file.url, undefined, options);
  }
  if (size === undefined || identity === undefined || size <= SEGMENT) {
    const bytes = await readBody(file.url, piece, size ?? SEGMENT, at => onBytes?.(at, size), signal);
    if (size !== undefined && bytes.length !== size)
      throw new NarrowsError(`${file.url} gave ${bytes.length} bytes where ${size} were to come; load the model again.`);
    const place = new Place(identity === undefined ? memoryStore() : options.store, file, identity ?? '', bytes.length);
    for (let i = 0; i < place.count; i++) {
      const { from, to } = place.range(i);
      await place.put(i, bytes.slice(from, to));
    }
    return place.finish();
  }
  const place = new Place(options.store, file, identity, size);
  const whole = await place.whole();
  if (whole) {
    await piece.response.body?.cancel();
    return whole;
  }
  options.onWarning?.(`${new URL(file.url).host} serves no ranges, so that a download of ${file.name} that stops begins anew.`);
  let segment = new Uint8Array(Math.min(SEGMENT, size));
  let [at, index, loaded] = [0, 0, 0];
  for await (const bytes of bodyPieces(file.url, piece.response, signal)) {
    for (let from = 0; from < bytes.length; ) {
      const part = bytes.subarray(from, from + segment.length - at);
      segment.set(part, at);
      at += part.length;
      from += part.length;
      if (at < segment.length) break;
      await place.put(index++, segment);
      at = 0;
      segment = new Uint8Array(Math.max(0, Math.min(SEGMENT, size - index * SEGMENT)));
      if (segment.length === 0 && from < bytes.length)
        throw new NarrowsError(`${file.url} is longer than the ${size} bytes that were promised; load the model again.`);
    }
    loaded += bytes.length;
    onBytes?.(loaded, size);
  }
  if (loaded !== size) throw new NarrowsError(`${file.url} ended after ${loaded} of ${size} bytes; load the model again.`);
  return place.finish();
}

/** @file Requests of a page for files: ranges, tries again, and one sentence for whatever went wrong. */
import { messageOf, NarrowsError } from '../../system/errors.ts';

/** How a page asks. */
export interface FetchOptions {
  /** An access token of the hub; sent to `origin` only. */
  readonly token?: string;
  readonly signal?: AbortSignal;
  /** How often a request that failed is tried again (default 3), and the first pause in milliseconds, which doubles (default 500). */
  readonly retries?: number;
  readonly retryDelay?: number;
}

/** A piece of a file, or where the server knows no ranges, all of it. */
export interface Piece {
  readonly response: Response;
  /** The answer begins where it was asked to. */
  readonly ranged: boolean;
  /** Bytes of the whole file, where the server says so. */
  readonly total: number | undefined;
  /** Changes with the file's content; undefined where the server gives none. */
  readonly validator: string | undefined;
}

const BUSY = new Set([408, 425, 429, 500, 502, 503, 504]);
const MAX_PAUSE = 30_000;

/** Waits; an abort ends the wait with its reason. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** The validator of an answer: a strong ETag, else the date of change with the size. */
export function validatorOf(headers: Headers, total: number | undefined): string | undefined {
  const etag = headers.get('x-linked-etag') ?? headers.get('etag');
  if (etag && !etag.startsWith('W/')) return etag;
  // A weak tag names the content for our purpose; only servers compare it otherwise.
  if (etag) return etag;
  const date = headers.get('last-modified');
  return date ? `${date} ${total ?? ''}` : undefined;
}

/** A failure that may pass: a busy server, a line that was cut. */
class Passing extends NarrowsError {}

/** One sentence for an answer that is none. */
export function statusError(url: string, status: number, token?: string): NarrowsError {
  const place = new URL(url).host;
  if (status === 401 || status === 403)
    return new NarrowsError(
      `${place} refuses ${url} (${status}): ${token ? 'the token has no access to it; accept its conditions there, or use another token' : 'it is private or gated, or does not exist; give an access token, or check the address'}.`,
    );
  if (status === 404 || status === 410)
    return new NarrowsError(`There is no ${url} (${status}); check the address.`, { cause: { code: 'ENOENT' } });
  if (BUSY.has(status)) return new Passing(`${place} is busy (${status}): try again later; what was downloaded is kept.`);
  return new NarrowsError(`${place} answered ${status} for ${url}; check the address, or try again later.`);
}

/** One sentence for a request that got no answer: a browser does not tell a cut line from a server that allows no other site to read it. */
function unreachable(url: string, error: unknown): NarrowsError {
  const { host, origin } = new URL(url);
  const here = (globalThis as { location?: Location }).location?.origin;
  const foreign = here !== undefined && here !== 'null' && here !== origin;
  const why = foreign
    ? `the network is down, or ${host} does not let pages of ${here} read it (no Access-Control-Allow-Origin header, on a redirect too); host the files next to the page, or choose them as files`
    : 'the network is down, or the server stopped; try again';
  return new Passing(`${url} cannot be read (${messageOf(error)}): ${why}.`, { cause: error });
}

/** Tries again what failed by a busy server or a cut line: so often, after pauses that double. */
export async function persist<T>(run: () => Promise<T>, { signal, retries = 3, retryDelay = 500 }: FetchOptions): Promise<T> {
  for (let attempt = 0; ; attempt++)
    try {
      signal?.throwIfAborted();
      return await run();
    } catch (error) {
      signal?.throwIfAborted();
      if (attempt >= retries || !(error instanceof Passing)) throw error;
      await pause(Math.min(MAX_PAUSE, retryDelay * 2 ** attempt), signal);
    }
}

/**
 * Asks for bytes from `from` up to (not including) `to`. Busy answers and lines that are cut before the answer are tried again.
 * @throws NarrowsError in one sentence; the signal's reason when aborted
 */
export function fetchPiece(url: string, range: { from: number; to: number } | undefined, options: FetchOptions = {}): Promise<Piece> {
  const { signal, token } = options;
  const headers = new Headers();
  if (range) headers.set('range', `bytes=${range.from}-${range.to - 1}`);
  if (token) headers.set('authorization', `Bearer ${token}`);
  return persist(async () => {
    const response = await fetch(url, { headers, signal, credentials: 'same-origin' }).catch(error => {
      throw unreachable(url, error);
    });
    if (response.ok) return pieceOf(response, range);
    await response.body?.cancel();
    throw statusError(url, response.status, token);
  }, options);
}

function pieceOf(response: Response, range: { from: number; to: number } | undefined): Piece {
  const { headers, status } = response;
  const stated = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '');
  const ranged = range !== undefined && status === 206 && stated !== null && Number(stated[1]) === range.from;
  // A packed body's length is not the file's.
  const length = headers.get('content-encoding') ? undefined : (headers.get('content-length') ?? undefined);
  const total = status === 206 ? (stated ? Number(stated[2]) : undefined) : length === undefined ? undefined : Number(length);
  return { response, ranged, total, validator: validatorOf(headers, total) };
}

/** A body piece by piece. @throws NarrowsError where the line is cut */
export async function* bodyPieces(url: string, response: Response, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw unreachable(url, error);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** @file Requests to the hub that wait and try again when the hub is busy or the line is cut, and that say in one sentence what went wrong. */
import { setTimeout as sleep } from '../../node/machine.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';

/** How patient to be. Times in milliseconds. */
export interface Patience {
  /** How often a failed request is tried again (default 5). */
  readonly retries?: number;
  /** First pause; it doubles with every try, up to 30 s (default 500). */
  readonly retryDelay?: number;
  /** Longest silence of the server before the line counts as cut (default 60 000). */
  readonly stallTimeout?: number;
}

/** What a request needs to know. */
export interface RequestContext extends Patience {
  readonly endpoint: string;
  readonly token?: string;
  readonly signal?: AbortSignal;
  /** For messages: `org/name` and the revision asked for. */
  readonly repository: string;
  readonly revision: string;
}

const MAX_PAUSE = 30_000;
// A server that asks for more patience than this gets none.
const MAX_RETRY_AFTER = 120_000;
const BUSY = new Set([408, 429, 500, 502, 503, 504]);

/** The line was cut, silent, or never there; trying again may help. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
}

/** The hub is there but refuses for now (408, 429, 5xx). */
export class BusyError extends Error {
  override readonly name = 'BusyError';
}

/** Milliseconds the server asks to wait: `Retry-After` in seconds or as a date, or the hub's own `RateLimit: "api";r=0;t=SECONDS`. */
export function retryAfter(headers: Headers, now = Date.now()): number | undefined {
  const value = headers.get('retry-after');
  if (value !== null) {
    const wait = /^\s*\d+\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
    if (Number.isFinite(wait)) return Math.max(0, wait);
  }
  const reset = headers.get('ratelimit')?.match(/;\s*t=(\d+)/);
  return reset ? Number(reset[1]) * 1000 : undefined;
}

/** Milliseconds before try number `attempt` (from 0), unless the server said how long. */
export const backOff = (attempt: number, { retryDelay = 500 }: Patience): number => Math.min(MAX_PAUSE, retryDelay * 2 ** attempt);

/** Waits; an abort of `signal` ends the wait with its reason. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(error => {
    throw signal?.aborted ? signal.reason : error;
  });
}

/** One sentence for an answer that is not a success. */
export function statusError(response: Response, context: RequestContext): NarrowsError {
  const { repository, revision, endpoint, token } = context;
  const code = response.headers.get('x-error-code') ?? '';
  const { status } = response;
  const where = `${endpoint}/${repository}`;
  if (code === 'GatedRepo' || (status === 403 && code !== 'RepoNotFound')) {
    const how = token ? 'use the token of an account that has access' : 'set HF_TOKEN to a token of that account';
    return new NarrowsError(`${repository} is gated or closed to you (${status}): accept its conditions at ${where} and ${how}.`);
  }
  if (code === 'RevisionNotFound') {
    return new NarrowsError(`${repository} has no revision "${revision}": check the branch, tag or commit after the @.`);
  }
  if (status === 401) {
    const how = token
      ? 'check the name, or the token in HF_TOKEN, which was refused'
      : 'check the name, or set HF_TOKEN to a token that may read it';
    return new NarrowsError(`${repository} does not exist at ${endpoint} or is private (401): ${how}.`);
  }
  if (status === 404 && code !== 'EntryNotFound') {
    return new NarrowsError(`${repository} is neither a directory here nor a repository at ${endpoint} (404): check the name.`);
  }
  if (BUSY.has(status))
    return new NarrowsError(`${endpoint} is busy (${status}): try again later; what is downloaded is kept.`, {
      cause: new BusyError(`is busy (${status})`),
    });
  return new NarrowsError(`${endpoint} answered ${status} for ${response.url || where}; check HF_ENDPOINT and try again later.`);
}

/** One sentence for a line that stayed cut. */
export function connectionError(error: unknown, context: RequestContext): NarrowsError {
  const cause = (error as { cause?: unknown })?.cause;
  const reason = cause === undefined ? messageOf(error) : messageOf(cause) || (cause as NodeJS.ErrnoException).code;
  return new NarrowsError(
    `No connection to ${context.endpoint} (${reason}): check the network, or work from the cache with HF_HUB_OFFLINE=1; what is downloaded is kept.`,
    { cause: error instanceof ConnectionError ? error : new ConnectionError(messageOf(error), { cause: error }) },
  );
}

/** Why the hub could not be used just now (`cannot be reached`, `is busy (503)`); undefined for an error that is its answer. */
export function unavailable(error: unknown): string | undefined {
  if (!(error instanceof NarrowsError)) return undefined;
  if (error.cause instanceof BusyError) return error.cause.message;
  return error.cause instanceof ConnectionError ? 'cannot be reached' : undefined;
}

function withToken(url: string, init: RequestInit, { endpoint, token }: RequestContext): Headers {
  const headers = new Headers(init.headers);
  headers.set('user-agent', 'narrows');
  // The token is for the hub only; redirects to another host drop it (fetch does that by itself).
  if (token && new URL(url).origin === new URL(endpoint).origin) headers.set('authorization', `Bearer ${token}`);
  return headers;
}

/**
 * `fetch` with the hub's token, abortable, tried again with exponential pauses on 408, 429, 5xx and cut lines, honouring `Retry-After`.
 * @returns a successful answer.
 * @throws NarrowsError for any other answer; the signal's reason when aborted.
 */
export async function request(url: string, init: RequestInit, context: RequestContext): Promise<Response> {
  const { signal, retries = 5, stallTimeout = 60_000 } = context;
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(new ConnectionError('the server is silent')), stallTimeout);
    const signals = [patience.signal, signal, init.signal].filter((one): one is AbortSignal => one instanceof AbortSignal);
    let wait = backOff(attempt, context);
    try {
      const response = await fetch(url, { ...init, headers: withToken(url, init, context), signal: AbortSignal.any(signals) });
      if (response.ok || response.status === 416) return response;
      await response.body?.cancel();
      const asked = retryAfter(response.headers);
      if (!BUSY.has(response.status) || attempt >= retries || (asked ?? 0) > MAX_RETRY_AFTER) throw statusError(response, context);
      wait = asked ?? wait;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof NarrowsError) throw error;
      if (attempt >= retries) throw connectionError(patience.signal.aborted ? patience.signal.reason : error, context);
    } finally {
      clearTimeout(timer);
    }
    await pause(wait, signal);
  }
}

/** Bytes of an answer of the hub's API, unpacked: a page of a list has some hundred thousand. */
const LARGEST_ANSWER = 32 * 2 ** 20;
/** Silences that the whole of an answer may last: a server that sends a byte now and then is none to wait for. */
const ANSWER_PATIENCE = 5;

/** Reads a body whole. @throws ConnectionError where it is cut, silent or endless slow, NarrowsError where it is too large */
async function readBody(response: Response, context: RequestContext): Promise<Uint8Array<ArrayBuffer>> {
  const { signal, stallTimeout = 60_000, endpoint } = context;
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  const deadline = performance.now() + ANSWER_PATIENCE * stallTimeout;
  try {
    while (reader) {
      const { done, value } = await withinTime(reader.read(), Math.min(stallTimeout, deadline - performance.now()), signal);
      if (done) break;
      parts.push(value);
      bytes += value.length;
      if (bytes > LARGEST_ANSWER)
        throw new NarrowsError(
          `${endpoint} answers with more than ${LARGEST_ANSWER / 2 ** 20} MB where a list is asked for; check HF_ENDPOINT.`,
        );
    }
  } catch (error) {
    void reader?.cancel().catch(() => undefined);
    throw error;
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** What a promise gives, if it does in time. @throws ConnectionError where it does not, the signal's reason when aborted */
export async function withinTime<T>(work: Promise<T>, milliseconds: number, signal?: AbortSignal): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let abort: (() => void) | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ConnectionError('the server is silent')), Math.max(0, milliseconds));
    abort = () => reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    if (abort) signal?.removeEventListener('abort', abort);
  }
}

/**
 * `request` with the body read whole, both tried again where the line is cut or silent: what the hub's API answers.
 * @returns a successful answer whose body is here
 * @throws NarrowsError for any other answer, one that is too large, or a line that stays cut; the signal's reason when aborted
 */
export async function requestWhole(url: string, init: RequestInit, context: RequestContext): Promise<Response> {
  if (!/^https?:\/\//.test(url))
    throw new NarrowsError(`${context.endpoint} refers to ${url}, which is no web address; check HF_ENDPOINT.`);
  for (let attempt = 0; ; attempt++) {
    const response = await request(url, init, context);
    try {
      const body = await readBody(response, context);
      const headers = new Headers(response.headers);
      // The body is unpacked by now.
      for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) headers.delete(name);
      const { status, statusText } = response;
      return new Response([204, 205, 304].includes(status) ? null : body, { status, statusText, headers });
    } catch (error) {
      context.signal?.throwIfAborted();
      if (error instanceof NarrowsError) throw error;
      if (attempt >= (context.retries ?? 5)) throw connectionError(error, context);
      await pause(backOff(attempt, context), context.signal);
    }
  }
}

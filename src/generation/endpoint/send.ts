/** @file One request to an endpoint and its whole response: within a time, no larger than is sensible, never redirected elsewhere. */
import { NarrowsError } from '../../system/errors.ts';
import { EndpointError } from './failure.ts';
import type { RawResponse } from './read-reply.ts';

/** Where and how requests are sent. */
export interface Line {
  readonly address: URL;
  /** Milliseconds that a response may take, body included. */
  readonly timeout: number;
  readonly signal?: AbortSignal;
  readonly key?: string;
}

/** An answer of 128 tokens has some hundred bytes each way; a body of this size is none. */
const LARGEST = 32 * 2 ** 20;
/** Redirects within the server that are followed. */
const HOPS = 3;
/** A shorter key may be a word of an answer. */
const TELLING = 6;

/** Codes of the system's errors, in words. The errors' texts hold addresses. */
const CODES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name service does not answer',
  ECONNRESET: 'the line was cut',
  UND_ERR_SOCKET: 'the line was cut',
  EHOSTUNREACH: 'no way to the host',
  ENETUNREACH: 'no network',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
};

/** Anything that fails on the line is worth another try; `unreachable` where no connection came about. */
function lineError(error: unknown): EndpointError {
  const cause = (error as { cause?: { code?: unknown; errors?: readonly { code?: unknown }[] } })?.cause;
  const code = String(cause?.code ?? cause?.errors?.[0]?.code ?? '');
  const said = CODES[code] ?? (/^[A-Z_]+$/.test(code) ? code : 'the line was cut');
  return new EndpointError('unreachable', `The endpoint cannot be reached (${said}); check its address and whether the server runs.`);
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let [text, bytes] = ['', 0];
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += piece.length;
    if (bytes > LARGEST) throw new EndpointError('malformed', `The endpoint's answer has more than ${LARGEST / 2 ** 20} MB.`);
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

/** The next address of a redirect that stays at the same server and keeps the request; undefined for any other. */
function within(response: Response, at: URL): URL | undefined {
  const location = response.headers.get('location') ?? '';
  if (![307, 308].includes(response.status) || !URL.canParse(location, at)) return undefined;
  const next = new URL(location, at);
  return next.origin === at.origin ? next : undefined;
}

/**
 * Sends a body and reads the response whole. The key, wherever a server repeats it, is taken out of the text.
 * @throws EndpointError `unreachable` or `slow`, for which another try may help, `malformed` for a body without end; the signal's reason
 */
export async function send(line: Line, body: string): Promise<RawResponse> {
  const { signal, timeout, key } = line;
  const headers = { 'content-type': 'application/json', 'user-agent': 'narrows', ...(key ? { authorization: `Bearer ${key}` } : {}) };
  const patience = AbortSignal.timeout(timeout);
  const ends = signal ? AbortSignal.any([signal, patience]) : patience;
  try {
    let at = line.address;
    for (let hop = 0; ; hop++) {
      const response = await fetch(at, { method: 'POST', headers, body, redirect: 'manual', signal: ends });
      const next = hop < HOPS ? within(response, at) : undefined;
      if (!next) {
        const text = await readText(response);
        const clean = key && key.length >= TELLING ? text.replaceAll(key, '[key]') : text;
        return { status: response.status, headers: response.headers, body: response.ok ? clean : clean.replaceAll(at.host, '[host]') };
      }
      await response.body?.cancel();
      at = next;
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof NarrowsError) throw error;
    if (patience.aborted) throw new EndpointError('slow', `The endpoint gave no whole answer within ${timeout / 1000} s; allow more time.`);
    throw lineError(error);
  }
}

/** @file What a response of an endpoint means: a reply of the model, a reason to try again, or a failure for good. */

import { retryAfter } from '../../checkpoints/hub/request.ts';
import { messageOf } from '../../system/errors.ts';
import { parsePlain } from '../../system/json-depth.ts';
import { joinStream } from './event-stream.ts';
import { EndpointError, type FailureKind } from './failure.ts';
import { type ModelReply, replyOf } from './reply.ts';

/** A response as it came. */
export interface RawResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** What a response means. */
export type Reading =
  | { readonly kind: 'reply'; readonly reply: ModelReply }
  /** Ask again, after `afterMs` where the server says so; `error` is what it comes to where patience ends. */
  | { readonly kind: 'retry'; readonly afterMs?: number; readonly error: EndpointError }
  /** The server knows the length only as `max_completion_tokens`. */
  | { readonly kind: 'other length'; readonly error: EndpointError }
  | { readonly kind: 'failure'; readonly error: EndpointError };

interface ErrorBody {
  readonly message?: unknown;
  readonly type?: unknown;
  readonly code?: unknown;
  readonly param?: unknown;
}

const QUOTED = 200;

/** Addresses, which a server may put into its words: they do not belong into results. */
const ADDRESS = /\bhttps?:\/\/[^\s"')]+|\b[\w-]+(\.[\w-]+)*:\d{2,5}\b/g;

/** The server's words, on one line and not too many of them. */
function quoted(message: unknown): string {
  const text = typeof message === 'string' ? message.replaceAll(ADDRESS, '[address]').replace(/\s+/g, ' ').trim().replace(/\.$/, '') : '';
  return text === '' ? '' : ` (${text.length > QUOTED ? `${text.slice(0, QUOTED)}…` : text})`;
}

const failure = (kind: FailureKind, message: string): Reading => ({ kind: 'failure', error: new EndpointError(kind, message) });
const retry = (kind: FailureKind, message: string, afterMs?: number): Reading => ({
  kind: 'retry',
  error: new EndpointError(kind, message),
  ...(afterMs === undefined ? {} : { afterMs }),
});

/** Milliseconds that the server asks to wait: `retry-after-ms`, or as `retryAfter`. */
export function askedPause(headers: Headers, now?: number): number | undefined {
  const exact = headers.get('retry-after-ms');
  if (exact !== null && /^\s*\d+(\.\d+)?\s*$/.test(exact)) return Number(exact);
  return retryAfter(headers, now);
}

function parsed(body: string): unknown {
  try {
    return parsePlain(body);
  } catch {
    return undefined;
  }
}

/** `{error: {…}}` of OpenAI, `{error: "…"}` of Ollama, `{message: "…"}` and `{detail: "…"}` of others. */
function errorOf(json: unknown): ErrorBody | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { error, message, detail } = json as { error?: unknown; message?: unknown; detail?: unknown };
  if (typeof error === 'string') return { message: error };
  if (typeof error === 'object' && error !== null) return error as ErrorBody;
  return { message: message ?? detail };
}

function readRefusedRequest(status: number, error: ErrorBody): Reading {
  const { code, param, type } = error;
  const message = typeof error.message === 'string' ? error.message : '';
  const said = quoted(message);
  if (status === 401 || status === 403)
    // The server's words may hold parts of the key.
    return failure(
      'authentication',
      `The endpoint refuses the key or asks for one (${status}); put the right one into its environment variable.`,
    );
  if (status === 404 || status === 405)
    return failure('not found', `The endpoint has no such model or address (${status})${said}; check the model's name and the address.`);
  const long = code === 'context_length_exceeded' || /context (length|size|window)|too many tokens|prompt is too long/i.test(message);
  if (status === 413 || long)
    return failure('too long', `The question is too long for the endpoint's model (${status})${said}; shorten it.`);
  const lengthName = param === 'max_tokens' || /max_completion_tokens/.test(message);
  const error_ = new EndpointError('bad request', `The endpoint refuses the request (${status})${said}.`);
  if (
    status === 400 &&
    lengthName &&
    (code === 'unsupported_parameter' || type === 'unsupported_parameter' || /max_completion_tokens/.test(message))
  )
    return { kind: 'other length', error: error_ };
  return { kind: 'failure', error: error_ };
}

function readSuccess({ headers, body }: RawResponse): Reading {
  const type = headers.get('content-type') ?? '';
  let json: unknown;
  if (type.includes('text/event-stream')) {
    try {
      const { whole, body: joined } = joinStream(body);
      if (!whole) return retry('malformed', "The endpoint's stream was cut before its end.");
      json = joined;
    } catch (error) {
      return retry('malformed', `The endpoint's stream was cut inside a piece (${messageOf(error).split('\n')[0]}).`);
    }
  } else json = parsed(body);
  if (json === undefined) {
    const html = type.includes('html') || /^\s*</.test(body);
    return retry(
      'malformed',
      html
        ? 'The endpoint answers with a web page, not with JSON; check its address, which for most servers ends in /v1.'
        : "The endpoint's answer is no JSON, or was cut.",
    );
  }
  const { error } = json as { error?: unknown };
  if (error) return retry('server error', `The endpoint reports an error${quoted(errorOf(json)?.message)}.`);
  const reply = replyOf(json);
  return reply ? { kind: 'reply', reply } : failure('malformed', "The endpoint's answer holds no message (choices[0].message is missing).");
}

/** Reads a response. Nothing in it holds the server's address; the key was taken out of the body before. */
export function readResponse(response: RawResponse): Reading {
  const { status, headers, body } = response;
  if (status >= 200 && status < 300) return readSuccess(response);
  if (status >= 300 && status < 400)
    return failure(
      'redirect',
      `The endpoint redirects elsewhere (${status}); neither question nor key is sent there: give the final address yourself if you trust it.`,
    );
  const error = errorOf(parsed(body)) ?? {};
  const said = quoted(error.message);
  if (status === 429 && [error.code, error.type].includes('insufficient_quota'))
    return failure('quota', "The endpoint's quota for this key is used up (429); raise it, or use another key.");
  const after = askedPause(headers);
  if (status === 429 || status === 503) return retry('busy', `The endpoint is busy (${status})${said}; go on later.`, after);
  if (status === 408 || status === 409 || status === 425 || status >= 500)
    return retry('server error', `The endpoint fails (${status})${said}.`, after);
  return readRefusedRequest(status, error);
}

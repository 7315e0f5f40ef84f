/** @file Events as lines of JSON, for HTTP: maps keep their float32 values bit for bit. */
import { attributionFromJson, attributionToJson } from '../report/attribution/json.ts';
import { type FailureReason, type FrameEvent, type ResultEvent, StudioError, type StudioEvent } from './protocol.ts';

/** Header that carries the token of a start. */
export const TOKEN_HEADER = 'x-narrows-token';
/** Header that carries `PROTOCOL_VERSION`. */
export const PROTOCOL_HEADER = 'x-narrows-protocol';

/** One line, without its end. @throws NarrowsError for a result that holds a number which is none */
export function eventToLine(event: StudioEvent): string {
  if (event.kind === 'result') return JSON.stringify({ ...event, attribution: attributionToJson(event.attribution) });
  if (event.kind === 'frame') return JSON.stringify({ ...event, tokens: Array.from(event.tokens) });
  return JSON.stringify(event);
}

/** An event from such a line. @throws StudioError `internal` for anything else */
export function eventFromLine(line: string): StudioEvent {
  try {
    const event = JSON.parse(line) as { kind?: unknown };
    if (typeof event.kind !== 'string') throw new Error('an event without a kind');
    if (event.kind === 'result') {
      const { attribution, ...rest } = event as unknown as Omit<ResultEvent, 'attribution'> & { readonly attribution: string };
      return { ...rest, attribution: attributionFromJson(attribution, 'the result') };
    }
    if (event.kind === 'frame') {
      const frame = event as unknown as Omit<FrameEvent, 'tokens'> & { readonly tokens: readonly number[] };
      return { ...frame, tokens: Float32Array.from(frame.tokens) };
    }
    return event as StudioEvent;
  } catch (error) {
    throw new StudioError('internal', `The studio's server sent what is no event (${(error as Error).message}).`);
  }
}

/** What a call without a stream is answered with where it fails. */
export interface WireFailure {
  readonly failure: { readonly reason: FailureReason; readonly message: string };
}

/** HTTP status of a failure. */
export const STATUS: Readonly<Record<FailureReason, number>> = {
  usage: 400,
  input: 422,
  missing: 404,
  cancelled: 409,
  timeout: 504,
  busy: 503,
  offline: 502,
  internal: 500,
};

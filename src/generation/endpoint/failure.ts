/** @file What may go wrong with an endpoint: kinds of failure, each one sentence that names no host and no key. */
import { NarrowsError } from '../../system/errors.ts';

/**
 * Of a reply: `empty`, `refused`, `filtered`, `malformed`, `other model`. Of a request: `too long`, `bad request`, `not found`,
 * `authentication`, `quota`. Of the line: `busy`, `server error`, `slow`, `unreachable`, `redirect`. Of the caller: `budget`.
 */
export type FailureKind =
  | 'empty'
  | 'refused'
  | 'filtered'
  | 'malformed'
  | 'other model'
  | 'too long'
  | 'bad request'
  | 'not found'
  | 'authentication'
  | 'quota'
  | 'busy'
  | 'server error'
  | 'slow'
  | 'unreachable'
  | 'redirect'
  | 'budget';

/** Kinds that every further request would meet as well. */
const STOPS: ReadonlySet<FailureKind> = new Set([
  'other model',
  'not found',
  'authentication',
  'quota',
  'busy',
  'unreachable',
  'redirect',
  'budget',
]);

/** An endpoint gave no usable answer. The message may stand in results: it holds no address and no key. */
export class EndpointError extends NarrowsError {
  constructor(
    readonly failure: FailureKind,
    message: string,
  ) {
    super(message);
  }

  /** The next request would fail in the same way: a run ends here, and goes on later. False where only this request is lost. */
  get stops(): boolean {
    return STOPS.has(this.failure);
  }
}

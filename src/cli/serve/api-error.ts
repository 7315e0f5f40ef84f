/** @file Errors as OpenAI's interface writes them. */
import { NarrowsError } from '../../system/errors.ts';

/** A request that is answered with an error. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  /** @param param the key of the request that is at fault */
  constructor(
    readonly status: number,
    message: string,
    readonly code: string | null = null,
    readonly param: string | null = null,
  ) {
    super(message);
  }
}

const typeOf = (status: number): string =>
  status === 401 || status === 403 ? 'authentication_error' : status >= 500 ? 'server_error' : 'invalid_request_error';

/** What anything thrown comes to. What should not have happened is said without its details. */
export function apiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof NarrowsError) return new ApiError(400, error.message);
  return new ApiError(500, 'This should not have happened; the log of the server says more.');
}

/** The body of an error. */
export const errorBody = ({ status, message, param, code }: ApiError): object => ({
  error: { message, type: typeOf(status), param, code },
});

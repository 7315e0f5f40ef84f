/** @file A time limit for work of this thread that may never end (a file's regular expressions), where the platform has one. */

/** What ran longer, or took more memory, than it may. */
export class LimitError extends Error {
  override readonly name = 'LimitError';
}

/** Runs a function for at most so many seconds of work; it may be begun anew, so it changes nothing. @throws LimitError when the time is over */
export type TimeLimiter = <T>(run: () => T, seconds: number) => T;

let limiter: TimeLimiter = run => run();

/** Sets how time is limited; without it, nothing is (in a browser, which asks its user whether a page shall be stopped). */
export function setTimeLimiter(given: TimeLimiter): void {
  limiter = given;
}

/** Runs a function within a time limit. @throws LimitError when the time is over */
export const withTimeLimit: TimeLimiter = (run, seconds) => limiter(run, seconds);

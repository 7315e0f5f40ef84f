/** @file Checks a method's options with one sentence on failure. */
import type { z } from 'zod';
import { NarrowsError } from '../system/errors.ts';
import { issueText } from '../system/issue-text.ts';

/** No option counts further: nothing that is made so many times ends in a day, and arrays of that length fill the memory. */
const LARGEST_COUNT = 1_000_000;

/** @throws NarrowsError naming the option, what it was and what it may be */
export function parseOptions<T>(schema: z.ZodType<T>, options: unknown, method: string): T {
  const result = schema.safeParse(options);
  if (result.success) {
    for (const [name, value] of Object.entries(result.data ?? {}))
      if (Number.isInteger(value) && Math.abs(value as number) > LARGEST_COUNT && options && name in (options as object))
        throw new NarrowsError(`The option ${name} of ${method} is wrong (${value}): give at most ${LARGEST_COUNT}.`, {
          kind: 'usage',
        });
    return result.data;
  }
  const issue = result.error.issues[0];
  const name = issue.path.join('.');
  const value = name ? JSON.stringify((options as Record<string, unknown>)[name]) : undefined;
  throw new NarrowsError(
    `The option ${name || 'list'} of ${method} is wrong${value === undefined ? '' : ` (${value})`}: ${issueText(issue, options)}.`,
    { kind: 'usage' },
  );
}

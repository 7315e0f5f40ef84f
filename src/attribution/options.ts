/** @file Checks a method's options with one sentence on failure. */
import type { z } from 'zod';
import { NarrowsError } from '../system/errors.ts';

/** @throws NarrowsError naming the option, what it was and what it may be */
export function parseOptions<T>(schema: z.ZodType<T>, options: unknown, method: string): T {
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const name = issue.path.join('.');
  const value = name ? JSON.stringify((options as Record<string, unknown>)[name]) : undefined;
  throw new NarrowsError(
    `The option ${name || 'list'} of ${method} is wrong${value === undefined ? '' : ` (${value})`}: ${issue.message}.`,
    { kind: 'usage' },
  );
}

/** @file What zod found wrong, in words that name what was meant. */
import { didYouMean } from './nearest-names.ts';

interface Issue {
  readonly message: string;
  readonly path: readonly PropertyKey[];
  readonly code?: string;
  readonly values?: readonly unknown[];
  readonly keys?: readonly string[];
}

/** The message of an issue; for a word that is none of those allowed, with the one that was meant. @param input what was parsed */
export function issueText(issue: Issue, input: unknown): string {
  if (issue.code !== 'invalid_value' || !issue.values) return issue.message;
  const value = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], input);
  const near = typeof value === 'string' ? didYouMean(value, issue.values.map(String)) : undefined;
  return near ? `${issue.message}; ${near.replace(/\?$/, '')}` : issue.message;
}

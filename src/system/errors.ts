/** @file The one error class that reaches a person: a sentence that says what is wrong, where, and how to mend it. */

/** Bad input or a failed environment. The command line prints only `message` (a stack trace only with `--debug`). */
export class NarrowsError extends Error {
  override readonly name = 'NarrowsError';
  /** `usage`: the command was called wrongly (exit code 2); `input`: everything else (exit code 1). */
  readonly kind: 'usage' | 'input';

  constructor(message: string, options: { kind?: 'usage' | 'input'; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.kind = options.kind ?? 'input';
  }
}

/** Short text of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

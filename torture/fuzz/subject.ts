/** @file What is fuzzed: a file in a folder, the call that reads it, and what of the outcome counts. */
import type { Form, Mutation } from './mutation.ts';

/** One thing to fuzz. */
export interface Subject {
  /** Kind of input, by which figures are given. */
  readonly kind: string;
  readonly name: string;
  /** Copied for each case. */
  readonly folder: string;
  /** The file in it that is changed. */
  readonly file: string;
  readonly form: Form;
  /** Files that pieces are taken from, absolute. */
  readonly others?: readonly string[];
  /** The call. `folder` is the copy's. */
  args(folder: string): string[];
  /** Files that say what came out, relative to the copy. Default: what was printed. */
  readonly outcome?: readonly string[];
  /**
   * Whether these steps may not go unnoticed: with exit code 0, another outcome than the unchanged file's and no warning, the result is
   * silently wrong. Default: never, as a changed value is a value.
   */
  mustBeSaid?(steps: readonly Mutation[]): boolean;
}

/** @file The verdict on a call: what no input may bring about. */
import type { Outcome } from './host.ts';

/** What was found; `undefined` is a call that ended as it should. */
export type Verdict = 'internal' | 'abort' | 'hang' | 'memory' | 'nan' | 'silent' | 'wordless' | 'leftover';

/** All of them, with what they mean. */
export const VERDICTS: Readonly<Record<Verdict, string>> = {
  internal: 'an internal error: a stack, or the sentence that says so',
  abort: 'the process died, by a signal or without an answer',
  hang: 'it did not end within its seconds of work',
  memory: 'it took more memory than its limit',
  nan: 'exit code 0 with a NaN in the outcome',
  silent: 'exit code 0 and another outcome than of the sound input, although the damage may not go unnoticed, and no warning',
  wordless: 'it failed without one sentence that begins with narrows:',
  leftover: 'it left a half-written file',
};

const STACK = /^\s+at .*[:(]\d+:\d+\)?$/m;

/** Numbers that are none, and empty places of lists of numbers, in a JSON value. */
function holes(value: unknown): number {
  if (Array.isArray(value)) {
    const numbers = value.some(one => typeof one === 'number');
    return value.reduce((sum: number, one) => sum + (one === null && numbers ? 1 : holes(one)), 0);
  }
  return value !== null && typeof value === 'object' ? Object.values(value).reduce((sum: number, one) => sum + holes(one), 0) : 0;
}

/** NaN as text outside of quotes, or as null between numbers. */
export function hasNaN(text: string): boolean {
  try {
    return holes(JSON.parse(text)) > 0;
  } catch {
    return /(?<!["\w])(NaN|-?Infinity)(?!["\w])/.test(text);
  }
}

/**
 * What a clock, a number of a process or the place of a file changes from run to run; and hashes of files, since one that was cut behind its last
 * pixel (padding of a BMP's row, IEND of a PNG) is another file with the same picture.
 */
const CHANGING =
  /"(sha256|createdAt|timings|seconds|elapsed|milliseconds|path|file|directory|output|memory|time|date|duration)":\s*("[^"]*"|[\d.e+-]+|\{[^{}]*\})/g;

/** An outcome without them. */
export const settled = (text: string, folder: string): string => text.replaceAll(folder, '{}').replace(CHANGING, '"$1":0');

/** What is looked at besides how the call ended. */
export interface Facts {
  /** The outcome, and that of the sound input. */
  readonly outcome: string;
  readonly sound: string;
  readonly mustBeSaid: boolean;
  readonly leftovers: readonly string[];
}

/** Judges a call. */
export function judge(ended: Outcome, { outcome, sound, mustBeSaid, leftovers }: Facts): Verdict | undefined {
  if ('broken' in ended) return ended.broken;
  const { code, stderr, stdout, stack } = ended;
  if (stack !== undefined || STACK.test(stderr) || STACK.test(stdout) || stderr.includes('This should not have happened'))
    return 'internal';
  if (code !== 0 && !/^narrows: \S/m.test(stderr) && !/^Warning: \S/m.test(stderr)) return 'wordless';
  if (leftovers.length > 0) return 'leftover';
  if (code !== 0) return undefined;
  if (hasNaN(outcome) && !hasNaN(sound)) return 'nan';
  if (mustBeSaid && outcome !== sound && !/warning/i.test(stderr) && !/"warnings":\s*\[\s*"/.test(stdout)) return 'silent';
  return undefined;
}

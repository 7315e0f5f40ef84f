/** @file The one place where errors become a sentence on stderr and an exit code. */
import { CommanderError } from 'commander';
import { messageOf, NarrowsError } from '../system/errors.ts';
import { didYouMean } from '../system/nearest-names.ts';

/** Exit codes: done, failed, called wrongly, interrupted. */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Thrown through abort signals by Ctrl-C (or SIGTERM, whose code is 143). */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor(readonly exitCode: number = EXIT.interrupted) {
    super('Interrupted.');
  }
}

/** A sentence: capital letter, full stop. */
function sentence(text: string): string {
  const trimmed = text.trim();
  const capital = /^[a-z]+ /.test(trimmed) ? trimmed[0].toUpperCase() + trimmed.slice(1) : trimmed;
  return /[.?!]$/.test(capital) ? capital : `${capital}.`;
}

/** `; did you mean x?` for a value that is none of commander's own choices. */
function choiceHint(message: string): string {
  const [, value, words] = /argument '(.*)' is invalid\. Allowed choices are (.*?)\.?$/.exec(message) ?? [];
  const near = value === undefined ? undefined : didYouMean(value, words.split(', '));
  return near ? `; ${near}` : '';
}

/** Commander's words, with its suggestion drawn into the sentence. */
function usageSentence(error: CommanderError): string {
  const [first, ...rest] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = /\(Did you mean (?:one of )?(.*)\?\)/.exec(rest.join(' '))?.[1];
  const hint =
    error.code === 'commander.excessArguments'
      ? '; put quotes around an argument that has spaces'
      : suggestion
        ? `; did you mean ${suggestion}?`
        : choiceHint(first);
  return sentence(first.replace(/\.$/, '').replace(' is invalid. ', ' is invalid: ') + hint);
}

/** What went wrong first: where giving something back failed, too, the language wraps both. */
function firstOf(error: unknown): unknown {
  let first = error;
  while (first instanceof Error && first.name === 'SuppressedError' && 'suppressed' in first) first = first.suppressed;
  return first;
}

/** What to print and which code to exit with; no text where everything has been said (help, version). */
export function explain(thrown: unknown, signal?: AbortSignal): { text?: string; code: number } {
  const error = firstOf(thrown);
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return { code: EXIT.done };
    if (error.code === 'commander.help') return { code: EXIT.usage };
    return { text: usageSentence(error), code: EXIT.usage };
  }
  // Libraries wrap the reason of an abort in errors of their own.
  const reason = error instanceof Interrupted ? error : signal?.aborted && signal.reason instanceof Interrupted ? signal.reason : undefined;
  if (reason) return { text: reason.message, code: reason.exitCode };
  if (error instanceof NarrowsError) return { text: error.message, code: error.kind === 'usage' ? EXIT.usage : EXIT.failed };
  const message = messageOf(error).split('\n')[0].trim();
  return {
    text: sentence(`This should not have happened: ${message || 'unknown error'} (run again with --debug and report it)`),
    code: EXIT.failed,
  };
}

/** The stack of an error and of its causes, for `--debug`. */
export function stackOf(error: unknown): string {
  const lines: string[] = [];
  for (let e = error, depth = 0; e instanceof Error && depth < 5; e = e.cause, depth++)
    lines.push(`${depth ? 'caused by ' : ''}${e.stack ?? e.message}`);
  return lines.join('\n');
}

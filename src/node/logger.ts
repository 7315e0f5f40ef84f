/** @file A small logger. It writes only to stderr, so that stdout carries data and nothing else. */
import type { Logger } from '../system/log.ts';
import { visible } from '../system/visible.ts';
import { type ColourStream, createColours } from './colours.ts';
import { printLine, type TextStream } from './status-line.ts';

/** Options of `createLogger`. */
export interface LoggerOptions {
  /** Default `process.stderr`. */
  readonly stream?: TextStream & ColourStream;
  readonly quiet?: boolean;
  readonly debug?: boolean;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Makes a logger. A warning of the same text, or of the same key, is printed once. Control characters in messages are made visible. Lines pass above a progress bar on the same stream. */
export function createLogger({ stream = process.stderr, quiet = false, debug = false, env }: LoggerOptions = {}): Logger {
  const colours = createColours(stream, env);
  const warned = new Set<string>();
  return {
    info(message) {
      if (!quiet) printLine(stream, visible(message));
    },
    warn(message, key = message) {
      // What a loader says at once and a result lists again is one warning to the person.
      if (warned.has(key)) return;
      warned.add(key);
      printLine(stream, `${colours.style('yellow', 'Warning:')} ${visible(message)}`);
    },
    debug(message) {
      if (debug) printLine(stream, colours.style('dim', `debug: ${visible(message)}`));
    },
  };
}

/** @file Where messages for a person go: what library functions ask for. Printing to a terminal is src/node/logger.ts. */

/** Where messages for a person go. */
export interface Logger {
  /** Not printed when quiet. */
  info(message: string): void;
  /** Printed even when quiet: the result may not be what was asked for. Of equal messages, or of those with one `key`, only the first is printed. */
  warn(message: string, key?: string): void;
  /** Printed only with `debug`. */
  debug(message: string): void;
}

/** A logger that says nothing: the default of library functions. */
export const silent: Logger = { info: () => {}, warn: () => {}, debug: () => {} };

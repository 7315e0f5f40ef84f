/** @file The last line of a terminal, rewritten in place, and how other lines get past it. */

import { stripVTControlCharacters } from 'node:util';
import { visible } from '../system/visible.ts';

/** A text stream that may be a terminal; `process.stderr` fits. */
export interface TextStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const current = new Map<TextStream, string>();
let watching = false;

/** Whether a stream can rewrite a line. */
export const canRewrite = (stream: TextStream, env: Readonly<Record<string, string | undefined>> = process.env): boolean =>
  stream.isTTY === true && env.TERM !== 'dumb';

/** Shows `text` as the stream's status line, cut to the terminal's width; `undefined` removes it. The cursor is never hidden. */
export function setStatus(stream: TextStream, text: string | undefined): void {
  if (text === undefined) {
    if (current.delete(stream)) stream.write('\r\x1b[K');
    return;
  }
  if (!watching) {
    watching = true;
    // Whatever ends the process, the shell's prompt starts on a line of its own.
    process.once('exit', () => {
      for (const open of current.keys()) open.write('\n');
    });
  }
  const safe = visible(text.replaceAll('\n', ' '), true);
  const characters = [...stripVTControlCharacters(safe)];
  const width = (stream.columns || 80) - 1;
  const line = characters.length > width ? `${characters.slice(0, width - 1).join('')}…` : safe;
  current.set(stream, line);
  stream.write(`\r${line}\x1b[K`);
}

/** Writes a whole line above the stream's status line, if it has one. */
export function printLine(stream: TextStream, line: string): void {
  const status = current.get(stream);
  const safe = visible(line, true);
  stream.write(status === undefined ? `${safe}\n` : `\r\x1b[K${safe}\n${status}`);
}

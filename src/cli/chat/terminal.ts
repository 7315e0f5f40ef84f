/** @file A talk in a terminal: a prompt, answers as they come, Ctrl-C for an answer and then for the talk. */
import { createInterface } from 'node:readline';
import type { Colours } from '../../node/colours.ts';
import { visible } from '../../system/visible.ts';
import { EXIT } from '../errors.ts';
import type { Talk } from './talk.ts';

/** The streams of a terminal. */
export interface TerminalStreams {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly colours: Colours;
  /** Ends everything (SIGTERM, or Ctrl-C while no prompt was there). */
  readonly signal: AbortSignal;
}

/**
 * Talks until /exit, Ctrl-D, or a Ctrl-C that follows another without a line in between. A Ctrl-C during an answer ends the answer.
 * Lines that come in while an answer is given wait for its end.
 * @returns the exit code
 * @throws the signal's reason once it is aborted
 */
export async function talkInTerminal(talk: Talk, { input, output, colours, signal }: TerminalStreams): Promise<number> {
  const lines = createInterface({ input, output, terminal: true, prompt: colours.style('bold', '> ') });
  const waiting: string[] = [];
  let answer: AbortController | undefined;
  let interrupted = false;
  let code: number | undefined;
  let wake = (): void => {};
  const note = (text: string): void => void output.write(`${colours.style('dim', visible(text))}\n`);
  const end = (with_: number): void => {
    code ??= with_;
    answer?.abort();
    wake();
  };
  lines.on('line', line => {
    interrupted = false;
    waiting.push(line);
    wake();
  });
  lines.on('SIGINT', () => {
    if (interrupted) return end(EXIT.interrupted);
    interrupted = true;
    if (answer) return answer.abort();
    output.write('\n');
    note('Ctrl-C again, Ctrl-D or /exit leaves.');
    // What was typed is given up, as in a shell.
    lines.write(null, { ctrl: true, name: 'u' });
    lines.prompt();
  });
  lines.on('close', () => end(EXIT.done));
  const onAbort = (): void => end(EXIT.interrupted);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    lines.prompt();
    while (code === undefined) {
      const line = waiting.shift();
      if (line === undefined) {
        await new Promise<void>(resolve => {
          wake = resolve;
        });
        continue;
      }
      answer = new AbortController();
      const outcome = await talk.line(line, answer.signal);
      answer = undefined;
      if (outcome === 'exit') break;
      if (code !== undefined) break;
      if (outcome === 'aborted') {
        output.write('\n');
        note('Stopped; the conversation is as before that question.');
      }
      if (waiting.length === 0) lines.prompt();
    }
    signal.throwIfAborted();
    return code ?? EXIT.done;
  } finally {
    signal.removeEventListener('abort', onAbort);
    lines.close();
  }
}

/** @file The child: makes one call after another through the command line's own entry function, as the program does, and says how each ended. */
import { EXIT, explain, stackOf } from '../../src/cli/errors.ts';
import { runProgram } from '../../src/cli/program.ts';
import { NarrowsError } from '../../src/system/errors.ts';
import { visible } from '../../src/system/visible.ts';
import type { Call, Ended } from './messages.ts';

/** More of an outcome is not kept. */
const LONGEST = 4 << 20;

let written = { stdout: '', stderr: '' };
for (const name of ['stdout', 'stderr'] as const) {
  process[name].write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
    if (written[name].length < LONGEST) written[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    const done = rest.find(one => typeof one === 'function') as ((error?: Error) => void) | undefined;
    if (done) queueMicrotask(done);
    return true;
  }) as typeof process.stdout.write;
}

/** Whether it is one that the command line has a sentence for. */
const isSaid = (error: unknown): boolean =>
  error instanceof NarrowsError ||
  (error instanceof Error && /^(CommanderError|InvalidArgumentError|Interrupted)$/.test(error.constructor.name));

let current: Call | undefined;

function end(code: number, stack?: string): void {
  if (!current) return;
  const { id } = current;
  current = undefined;
  process.send!({ id, code, ...written, stack } satisfies Ended);
}

function fail(error: unknown): void {
  const { text, code } = explain(error);
  if (text !== undefined) written.stderr += `narrows: ${visible(text)}\n`;
  end(code, isSaid(error) ? undefined : stackOf(error) || String(error));
}

// An error outside of the call's own promise ends the program, too.
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
process.on('disconnect', () => process.exit());

process.on('message', (call: Call) => {
  current = call;
  written = { stdout: '', stderr: '' };
  process.chdir(call.folder);
  process.exitCode = EXIT.done;
  runProgram(call.args, new AbortController().signal).then(end, fail);
});
process.send!('ready');

#!/usr/bin/env node
/** @file The `narrows` command: signals, broken pipes, and the way from an error to a sentence and an exit code. */
import { writeError } from '../node/files.ts';
import { openRanks } from '../node/mpi/open-ranks.ts';
import type { Ranks } from '../node/mpi/ranks.ts';
import { setStatus } from '../node/status-line.ts';
import { guardWeights } from '../node/weight-guard.ts';
import { visible } from '../system/visible.ts';
import { EXIT, explain, Interrupted, stackOf } from './errors.ts';
import { runProgram, wantsDebug } from './program.ts';
import { type Ending, endTogether } from './ranks.ts';

const argv = process.argv.slice(2);
const controller = new AbortController();
guardWeights();

/** Signals that stop the work, with the exit codes that shells give them. */
const STOPS = { SIGINT: EXIT.interrupted, SIGTERM: 143 } as const;

function stop(signal: keyof typeof STOPS): void {
  // From here on any of them ends the process at once: nobody listens, and the system does what it does to every program.
  for (const name of Object.keys(STOPS)) process.removeAllListeners(name);
  controller.abort(new Interrupted(STOPS[signal]));
}
for (const name of Object.keys(STOPS) as (keyof typeof STOPS)[]) process.on(name, stop);

/** Why stdout could not take what was written to it. */
let unwritten: NodeJS.ErrnoException | undefined;

// Whoever reads our output may stop reading (`| head`): that is no error. A full disk behind stdout is; behind stderr nobody could be informed.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.done);
  unwritten ??= error;
});
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.done);
});

/** The processes of this call, once they have met. */
let ranks: Ranks | undefined;

/** What is to be said of an error. */
function ending(error: unknown): Ending {
  const { text, code } = explain(error, controller.signal);
  const stack = wantsDebug(argv) && text !== undefined && !controller.signal.aborted ? `\n${visible(stackOf(error))}` : '';
  return { code, ...(text === undefined ? {} : { text: `${visible(text)}${stack}` }) };
}

function say({ text, code }: Ending): number {
  setStatus(process.stderr, undefined);
  if (text !== undefined) process.stderr.write(`narrows: ${text}\n`);
  return code;
}

const fail = (error: unknown): number => say(ending(error));

/** Ends this process, and the others of the call where they cannot go on without it. */
async function end(how: Ending): Promise<void> {
  const met = ranks;
  // A second error on the way out ends this process only.
  ranks = undefined;
  leave(say(met ? await endTogether(met, how) : how));
}

/** Leaves once everything written has been handed over. */
function leave(code: number): void {
  process.stdout.write('', () =>
    // An error of a stream comes a turn later than the write.
    setImmediate(() => {
      const lost = unwritten && code === EXIT.done ? fail(writeError('the standard output', unwritten)) : code;
      process.stderr.write('', () => process.exit(lost));
    }),
  );
}

process.on('uncaughtException', error => void end(ending(error)));
process.on('unhandledRejection', error => void end(ending(error)));

async function main(): Promise<void> {
  ranks = await openRanks();
  await end({ code: await runProgram(argv, controller.signal, ranks) });
}

main().catch(error => end(ending(error)));

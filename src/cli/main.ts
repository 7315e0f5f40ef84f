#!/usr/bin/env node
/** @file The `narrows` command: signals, broken pipes, and the way from an error to a sentence and an exit code. */
import { setStatus } from '../node/status-line.ts';
import { EXIT, explain, Interrupted, stackOf } from './errors.ts';
import { runProgram, wantsDebug } from './program.ts';

const argv = process.argv.slice(2);
const controller = new AbortController();

// `once`: a second Ctrl-C meets no listener and ends the process at once.
process.once('SIGINT', () => controller.abort(new Interrupted()));
process.once('SIGTERM', () => controller.abort(new Interrupted(143)));

// Whoever reads our output may stop reading (`| head`): that is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.done);
    throw error;
  });
}

function fail(error: unknown): number {
  const { text, code } = explain(error, controller.signal);
  setStatus(process.stderr, undefined);
  if (text !== undefined) process.stderr.write(`narrows: ${text}\n`);
  if (wantsDebug(argv) && text !== undefined && !controller.signal.aborted) process.stderr.write(`${stackOf(error)}\n`);
  return code;
}

/** Leaves once everything written has been handed over. */
function leave(code: number): void {
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}

process.on('uncaughtException', error => leave(fail(error)));
process.on('unhandledRejection', error => leave(fail(error)));

runProgram(argv, controller.signal).then(leave, error => leave(fail(error)));

/** @file What a process that hangs is at, from Node's diagnostic report. */
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Arguments of a Node that can be asked. @param directory an empty folder of its own */
export const reporting = (directory: string): string[] => ['--report-on-signal', `--report-directory=${directory}`];

interface Report {
  /** Without `stack` where no script is at work. */
  readonly javascriptStack: { readonly stack?: readonly string[] };
  readonly nativeStack: readonly { readonly symbol: string }[];
  readonly libuv: readonly { readonly is_active?: boolean }[];
}

function read(path: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report;
  } catch {
    // It is being written.
    return undefined;
  }
}

/** Asks a child that was started with `reporting`. @returns its stack and what its event loop waits for, a line each; or that it is blocked */
export async function hangReport(child: ChildProcess, directory: string, seconds = 5): Promise<string> {
  for (const left of readdirSync(directory)) rmSync(join(directory, left));
  child.kill('SIGUSR2');
  for (let tries = 0; tries < 10 * seconds; tries++) {
    await new Promise(resolve => setTimeout(resolve, 100));
    const [file] = readdirSync(directory);
    const report = file === undefined ? undefined : read(join(directory, file));
    if (!report) continue;
    const native = report.nativeStack.slice(0, 12).map(({ symbol }) => symbol);
    const waiting = report.libuv.filter(one => one.is_active !== false).map(one => JSON.stringify(one));
    return [...(report.javascriptStack.stack ?? []), ...native, ...waiting].join('\n');
  }
  return 'It gave no report: its thread is blocked.';
}

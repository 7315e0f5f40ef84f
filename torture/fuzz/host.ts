/** @file Keeps a child that makes calls, within limits of work and memory, and starts another one where it ended. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startOf } from '../../src/testing/compiled.ts';
import { type Limits, memoryOf, Watch } from '../shared/limits.ts';
import { hangReport, reporting } from './hang-report.ts';
import type { Ended } from './messages.ts';

/** A call that ended in no way of its own. */
export interface Broken {
  readonly broken: 'abort' | 'hang' | 'memory';
  /** Signal, exit code, seconds or megabytes. */
  readonly detail: string;
  /** What the process said last. */
  readonly said: string;
}

/** How a call went. */
export type Outcome = Ended | Broken;

/** Calls after which a child is replaced, so that what earlier ones left behind stays small. */
const CALLS = 400;

/** One child at a time. */
export class Host {
  private child: ChildProcess | undefined;
  private calls = 0;
  private said = '';
  private readonly reports = mkdtempSync(join(tmpdir(), 'narrows-reports-'));

  constructor(
    private readonly limits: Limits,
    private readonly env: Readonly<Record<string, string>>,
  ) {
    process.once('exit', () => rmSync(this.reports, { recursive: true, force: true }));
  }

  private async started(): Promise<ChildProcess> {
    if (this.child && this.child.exitCode === null && this.child.signalCode === null && this.calls < CALLS) return this.child;
    this.stop();
    this.calls = 0;
    this.said = '';
    const { execArgv, file } = startOf(fileURLToPath(new URL('worker.ts', import.meta.url)));
    const child = fork(file, {
      execArgv: [...execArgv, `--max-old-space-size=${this.limits.megabytes}`, ...reporting(this.reports)],
      env: { ...process.env, NO_COLOR: '1', HF_HUB_OFFLINE: '1', ...this.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    // What native code and the engine say of their end.
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.said = (this.said + text).slice(-4000);
      });
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('exit', () => reject(new Error(`the child did not start: ${this.said}`)));
    });
    this.child = child;
    return child;
  }

  /** Makes a call and waits for its end, or for a limit. */
  async call(folder: string, args: readonly string[]): Promise<Outcome> {
    const child = await this.started();
    const id = ++this.calls;
    const outcome = await new Promise<Outcome>(resolve => {
      const watch = new Watch(child.pid!, this.limits, async (broken, detail) => {
        watch.stop();
        // An answer that comes while it is asked comes too late.
        child.off('message', onMessage);
        const doing = broken === 'hang' ? `\n${await hangReport(child, this.reports)}\n` : '';
        done({ broken, detail, said: `${this.said}${doing}` });
      });
      const onMessage = (message: Ended): void => {
        if (message.id === id) done(message);
      };
      const onExit = (code: number | null, signal: string | null): void =>
        done({ broken: /heap out of memory/.test(this.said) ? 'memory' : 'abort', detail: signal ?? `exit code ${code}`, said: this.said });
      const done = (value: Outcome): void => {
        watch.stop();
        child.off('message', onMessage).off('exit', onExit);
        resolve(value);
      };
      child.on('message', onMessage).on('exit', onExit);
      child.send({ id, folder, args });
    });
    if ('broken' in outcome) this.stop();
    return outcome;
  }

  /** Megabytes that the child has now. */
  get megabytes(): number {
    return this.child?.pid ? memoryOf(this.child.pid) : 0;
  }

  stop(): void {
    this.child?.removeAllListeners();
    this.child?.kill('SIGKILL');
    this.child = undefined;
  }
}

/** @file One job at a time, in the order of calls; each is told how many stand before it, and can be cancelled while it waits. */
import { type StreamOptions, StudioError, type StudioEvent } from '../protocol.ts';

/** Work that gives events until it ends. */
export type Work = (signal: AbortSignal) => AsyncIterable<StudioEvent>;

interface Entry {
  readonly name: string;
  readonly controller: AbortController;
  /** Called whenever the place in the queue changed. */
  moved: () => void;
}

/** A queue of jobs. */
export class JobQueue {
  private readonly entries: Entry[] = [];
  private last = 0;

  /** @param kind what its jobs are called; queues of one page differ in it */
  constructor(private readonly kind = 'job') {}

  /** @returns whether there was such a job */
  cancel(name: string): boolean {
    const entry = this.entries.find(each => each.name === name);
    entry?.controller.abort();
    return entry !== undefined;
  }

  /** The job's events with `started` before and `done` or a failure behind them. Never rejects; leaving the loop cancels. */
  async *run(work: Work, options: StreamOptions = {}): AsyncGenerator<StudioEvent, void, undefined> {
    this.last += 1;
    const entry: Entry = { name: `${this.kind} ${this.last}`, controller: new AbortController(), moved: () => {} };
    const { signal } = entry.controller;
    const abort = (): void => entry.controller.abort();
    if (options.signal?.aborted) abort();
    options.signal?.addEventListener('abort', abort, { once: true });
    this.entries.push(entry);
    let finished = false;
    try {
      for (let told = -1; ; ) {
        if (signal.aborted) throw new StudioError('cancelled', 'Cancelled.');
        const ahead = this.entries.indexOf(entry);
        if (ahead !== told) yield { kind: 'started', job: entry.name, ahead };
        told = ahead;
        if (this.entries[0] === entry) break;
        if (this.entries.indexOf(entry) !== told) continue;
        await new Promise<void>(resolve => {
          entry.moved = resolve;
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
      for await (const event of work(signal)) {
        yield event;
        if (event.kind === 'failure' && event.method === undefined) {
          finished = true;
          return;
        }
      }
      finished = true;
      yield { kind: 'done' };
    } catch (error) {
      finished = true;
      if (error instanceof StudioError) yield { kind: 'failure', reason: error.reason, message: error.message };
      else
        yield {
          kind: 'failure',
          reason: 'internal',
          message: `Something went wrong in this page (${String((error as Error)?.message ?? error)}); reload it.`,
        };
    } finally {
      if (!finished) abort();
      options.signal?.removeEventListener('abort', abort);
      this.entries.splice(this.entries.indexOf(entry), 1);
      for (const each of this.entries) each.moved();
    }
  }
}

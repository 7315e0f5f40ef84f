/** @file Jobs of the studio: one runs at a time, in the order of calls; each is a stream of events that can be cancelled and ends in time. */
import { randomUUID } from 'node:crypto';
import { type FailureEvent, StudioError, type StudioEvent } from '../../studio/protocol.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import type { Logger } from '../../system/log.ts';
import { EventBuffer } from './event-buffer.ts';

/** What a job does. It ends the stream by returning; what it throws becomes the failure. */
export type JobWork = (say: (event: StudioEvent) => void, signal: AbortSignal) => Promise<void>;

/** How a queue is run. */
export interface QueueOptions {
  /** Jobs that may wait; more are refused as `busy`. */
  readonly most: number;
  readonly log: Pick<Logger, 'warn' | 'debug'>;
}

/** What a job may be given. */
export interface JobOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds that it may run. */
  readonly timeout: number;
}

interface Job {
  readonly id: string;
  readonly stop: AbortController;
  readonly events: EventBuffer;
  /** Says that its turn has come. */
  readonly begin: () => void;
  /** The place that was last told. */
  ahead?: number;
}

/** The failure that anything thrown comes to; what should not have happened is logged, and said without its details. */
export function failureOf(error: unknown, log: Pick<Logger, 'warn' | 'debug'>): FailureEvent {
  if (error instanceof StudioError) return { kind: 'failure', reason: error.reason, message: error.message };
  if (error instanceof NarrowsError) return { kind: 'failure', reason: error.kind === 'usage' ? 'usage' : 'input', message: error.message };
  log.warn(`A job of the studio failed: ${messageOf(error)}`);
  if (error instanceof Error && error.stack) log.debug(error.stack);
  return {
    kind: 'failure',
    reason: 'internal',
    message: 'This should not have happened; the terminal that runs narrows studio says more.',
  };
}

/** A queue of width one. */
export class JobQueue {
  private running: Job | undefined;
  private readonly waiting: Job[] = [];

  constructor(private readonly options: QueueOptions) {}

  /** Queues a job, and gives its events. Leaving the loop cancels it. */
  async *run(work: JobWork, { signal, timeout }: JobOptions): AsyncGenerator<StudioEvent, void, undefined> {
    const { log, most } = this.options;
    if (this.waiting.length >= most)
      return yield failureOf(
        new StudioError('busy', `${this.waiting.length} jobs are waiting already; cancel some, or come again later.`),
        log,
      );
    const stop = new AbortController();
    const events = new EventBuffer();
    const cancel = (): void => stop.abort(new StudioError('cancelled', 'Cancelled.'));
    if (signal?.aborted) cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    // A job that is cancelled ends for its caller at once; the next one begins when its work has really ended.
    stop.signal.addEventListener('abort', () => events.end(failureOf(stop.signal.reason, log)), { once: true });
    const turn = new Promise<void>(begin => this.enter({ id: randomUUID(), stop, events, begin }));
    const ended = turn.then(async () => {
      const limit = setTimeout(() => {
        const minutes = Math.max(1, Math.round(timeout / 60_000));
        stop.abort(
          new StudioError(
            'timeout',
            `This took longer than ${minutes} ${minutes === 1 ? 'minute' : 'minutes'} and was ended; ask for fewer steps or samples.`,
          ),
        );
      }, timeout);
      try {
        stop.signal.throwIfAborted();
        await work(event => events.add(event), stop.signal);
        stop.signal.throwIfAborted();
        events.end({ kind: 'done' });
      } catch (error) {
        events.end(failureOf(stop.signal.aborted ? stop.signal.reason : error, log));
      } finally {
        clearTimeout(limit);
        this.next();
      }
    });
    try {
      if (stop.signal.aborted) events.end(failureOf(stop.signal.reason, log));
      yield* events;
    } finally {
      signal?.removeEventListener('abort', cancel);
      cancel();
      ended.catch(() => {});
    }
  }

  /** Cancels a job that runs or waits. @returns whether there was one */
  cancel(id: string): boolean {
    const job = this.running?.id === id ? this.running : this.waiting.find(each => each.id === id);
    job?.stop.abort(new StudioError('cancelled', 'Cancelled.'));
    return job !== undefined;
  }

  /** Cancels all jobs, and waits for the one that runs. */
  async close(): Promise<void> {
    for (const job of [...this.waiting, ...(this.running ? [this.running] : [])])
      job.stop.abort(new StudioError('cancelled', 'The studio ends.'));
    while (this.running) await new Promise(done => setTimeout(done, 20));
  }

  private enter(job: Job): void {
    this.waiting.push(job);
    // Those that wait no longer make room.
    job.stop.signal.addEventListener('abort', () => this.leave(job), { once: true });
    if (!this.running) this.next();
    else this.sayPlaces();
  }

  private leave(job: Job): void {
    const at = this.waiting.indexOf(job);
    if (at < 0) return;
    this.waiting.splice(at, 1);
    this.sayPlaces();
  }

  private next(): void {
    this.running = this.waiting.shift();
    this.running?.events.add({ kind: 'started', job: this.running.id, ahead: 0 });
    this.sayPlaces();
    this.running?.begin();
  }

  private sayPlaces(): void {
    for (const [i, job] of this.waiting.entries()) {
      if (job.ahead === i + 1) continue;
      job.ahead = i + 1;
      job.events.add({ kind: 'started', job: job.id, ahead: i + 1 });
    }
  }
}

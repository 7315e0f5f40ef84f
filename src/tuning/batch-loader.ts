/** @file Batches drawn ahead in a worker thread: the side that asks. Its other side is batch-server.ts. */
import type { Feeds } from '../runtime/runtime.ts';
import { NarrowsError } from '../system/errors.ts';

/** Called with what the person should know; messages of one key only once. */
export type Note = (message: string, key?: string) => void;

/** Answer of the worker to `{ step }`. */
export interface LoaderReply {
  readonly step: number;
  readonly notes: readonly (readonly [message: string, key?: string])[];
  readonly batch?: Feeds;
  readonly error?: string;
  /** The error is about the input. */
  readonly bad?: boolean;
}

/** What is asked of the thread that draws; `spawnWorker` gives one. */
export interface LoaderThread {
  on(event: 'message', listen: (reply: LoaderReply) => void): unknown;
  on(event: 'error', listen: (error: Error) => void): unknown;
  postMessage(message: unknown): void;
  terminate(): Promise<unknown>;
}

/** Keeps `ahead` batches drawn. Steps are asked for in rising order; any order works. */
export class WorkerBatches {
  private readonly waiting = new Map<number, PromiseWithResolvers>();
  private failure: Error | undefined;

  /**
   * @param worker a module that calls `serveBatches` @param source what it draws from: its first message
   * @param note called with what the worker has to report, when the batch is taken
   */
  constructor(
    private readonly worker: LoaderThread,
    source: object,
    private readonly note: Note = () => {},
    private readonly ahead = 3,
  ) {
    this.worker.on('message', (reply: LoaderReply) => this.waiting.get(reply.step)?.resolve(reply));
    this.worker.on('error', error => {
      this.failure = error;
      for (const entry of this.waiting.values()) entry.reject(error);
    });
    this.worker.postMessage(source);
  }

  /** Which step is asked for after another one; the next by default. */
  follow = (next: (step: number) => number): void => {
    this.after = next;
  };

  private after = (step: number): number => step + 1;

  /** The batch of a step. @throws NarrowsError for bad data, Error where the worker failed */
  async batch(step: number): Promise<Feeds> {
    if (this.failure) throw this.failure;
    for (let s = step, i = 0; i <= this.ahead; s = this.after(s), i++) this.request(s);
    const { batch, notes, error, bad } = await this.waiting.get(step)!.promise;
    this.waiting.delete(step);
    for (const [message, key] of notes) this.note(message, key);
    if (batch) return batch;
    throw bad ? new NarrowsError(error!) : new Error(error);
  }

  private request(step: number): void {
    if (this.waiting.has(step)) return;
    const entry = withResolvers();
    entry.promise.catch(() => {});
    this.waiting.set(step, entry);
    this.worker.postMessage({ step });
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    await this.worker.terminate();
  }
}

interface PromiseWithResolvers {
  readonly promise: Promise<LoaderReply>;
  resolve(reply: LoaderReply): void;
  reject(error: unknown): void;
}

function withResolvers(): PromiseWithResolvers {
  let resolve!: (reply: LoaderReply) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<LoaderReply>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

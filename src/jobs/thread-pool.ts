/** @file Runs tasks in worker threads. Only this thread writes the store: workers send each cell when it is finished. */
import { NarrowsError } from '../system/errors.ts';
import type { Pool, Task, TaskHooks } from './cell.ts';
import type { PoolThread } from './rank-threads.ts';
import type { ThreadReply, ThreadRequest } from './thread-messages.ts';

/** A pool of `width` threads. */
export interface ThreadPoolOptions<I> {
  readonly width: number;
  /** Starts a thread whose module calls `serveTasks`. @param index of it, from 0 */
  spawn(index: number): PoolThread;
  /** What a worker is sent of a task, made when its turn comes; the input itself by default. */
  message?(input: I): unknown;
}

/** Makes the pool; threads start with `run` and end with it. */
export function threadPool<I, R>(options: ThreadPoolOptions<I>): Pool<I, R> {
  return {
    width: options.width,
    async run(tasks, hooksOf, signal) {
      const served: Served<I, R> = { queue: [...tasks], written: new Set(), hooksOf, signal };
      // Once, unless a worker's machine died when nobody was left to take over what it had in hand.
      while (served.queue.length > 0) {
        const count = Math.min(options.width, served.queue.length);
        const outcomes = await Promise.allSettled(Array.from({ length: count }, (_, i) => serve(options, i, served)));
        signal?.throwIfAborted();
        for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
      }
    },
  };
}

/** What all workers of a run share. */
interface Served<I, R> {
  readonly queue: Task<I>[];
  /** Cells with a result: a task that is done again brings them again. */
  readonly written: Set<string>;
  readonly hooksOf: (task: Task<I>) => TaskHooks<R>;
  readonly signal: AbortSignal | undefined;
}

/** One worker from its start to its end; takes tasks from the queue. */
function serve<I, R>(
  { spawn, message = input => input }: ThreadPoolOptions<I>,
  index: number,
  { queue, written, hooksOf, signal }: Served<I, R>,
): Promise<void> {
  const worker = spawn(index);
  const post = (request: ThreadRequest<unknown>): void => worker.postMessage(request);
  return new Promise((resolve, reject) => {
    let hooks: TaskHooks<R> | undefined;
    let task: Task<I> | undefined;
    let failure: Error | undefined;
    let gone = false;
    let writing: Promise<unknown> = Promise.resolve();
    const stop = (): void => post({ stop: true });
    signal?.addEventListener('abort', stop, { once: true });
    const fail = (error: Error): void => {
      failure ??= error;
      // The others shall not begin anything that nobody will see.
      queue.length = 0;
    };
    const next = (): void => {
      if (gone) return;
      task = failure || signal?.aborted ? undefined : queue.shift();
      hooks = task && hooksOf(task);
      // A worker is asked to end, never ended: its native code may be at work.
      post(task ? { task: message(task.input) } : { close: true });
    };
    const end = async (error?: Error): Promise<void> => {
      signal?.removeEventListener('abort', stop);
      await writing;
      if (error ?? failure) reject(error ?? failure);
      else resolve();
    };
    const onReply = async (reply: ThreadReply<R>): Promise<void> => {
      const current = hooks;
      if (reply.kind === 'done' || reply.kind === 'error') task = undefined;
      if (reply.kind === 'cell') {
        if (written.has(reply.key)) return;
        if ('result' in reply.outcome) written.add(reply.key);
        writing = Promise.all([writing, current!.onCell(reply.key, reply.outcome).catch(fail)]);
      } else if (reply.kind === 'progress') current!.onProgress(reply.share);
      else if (reply.kind === 'warning') current!.onWarning(reply.message);
      else if (reply.kind === 'closed') await end();
      else {
        // A task is over when its cells are on the disk.
        if (reply.kind === 'done') {
          await writing;
          current!.onProgress(1);
        }
        if (reply.kind === 'error')
          fail(reply.bad ? new NarrowsError(reply.message) : Object.assign(new Error(reply.message), { stack: reply.stack }));
        next();
      }
    };
    worker.on('message', reply => void onReply(reply as ThreadReply<R>));
    worker.on('lost', () => {
      gone = true;
      if (task && !failure && !signal?.aborted) queue.push(task);
      void end();
    });
    worker.on('error', error => void end(error));
    worker.on('exit', () => void end(failure ?? new Error('A worker ended before its time.')));
  });
}

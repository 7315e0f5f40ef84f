/** @file The side of a worker thread: opens what it needs, then does one task after another. */
import { parentPort } from '../node/threads.ts';
import { messageOf, NarrowsError } from '../system/errors.ts';
import type { Work } from './cell.ts';
import type { ThreadReply, ThreadRequest } from './thread-messages.ts';

/** What a worker is made of. */
export interface ServedWork<I, R> {
  readonly work: Work<I, R>;
  release(): Promise<void>;
}

/** Serves the thread that started this one; does nothing in a main thread. @param open is called once */
export async function serveTasks<I, R>(open: () => Promise<ServedWork<I, R>>): Promise<void> {
  const port = parentPort;
  if (!port) return;
  const say = (reply: ThreadReply<R>): void => port.postMessage(reply);
  const stop = new AbortController();
  const failureReply = (error: unknown): ThreadReply<R> =>
    stop.signal.aborted
      ? { kind: 'stopped' }
      : { kind: 'error', message: messageOf(error), bad: error instanceof NarrowsError, stack: (error as Error)?.stack };
  let served: ServedWork<I, R> | undefined;
  port.on('message', async (request: ThreadRequest<I>) => {
    if ('stop' in request) return stop.abort(new Error('stopped'));
    try {
      if ('close' in request) {
        await served?.release();
        say({ kind: 'closed' });
        return port.close();
      }
      await served!.work(request.task, {
        signal: stop.signal,
        onCell: async (key, outcome) => say({ kind: 'cell', key, outcome }),
        onProgress: share => say({ kind: 'progress', share: Math.min(share, 0.999_999) }),
        onWarning: message => say({ kind: 'warning', message }),
      });
      say({ kind: 'done' });
    } catch (error) {
      say(failureReply(error));
    }
  });
  try {
    served = await open();
    say({ kind: 'ready' });
  } catch (error) {
    say(failureReply(error));
  }
}

/** @file Batches drawn ahead in a worker thread: the side that draws. Its other side is batch-loader.ts. */
import { parentPort } from '../node/threads.ts';
import type { Feeds } from '../runtime/runtime.ts';
import { messageOf, NarrowsError } from '../system/errors.ts';
import type { LoaderReply, Note } from './batch-loader.ts';

/** Draws the batch of a step. */
export type DrawBatch = (step: number, note: Note) => Feeds | Promise<Feeds>;

/** Answers requests for batches in this worker thread, in their order. @param open makes the function that draws from the first message */
export function serveBatches<Source extends object>(open: (source: Source) => DrawBatch | Promise<DrawBatch>): void {
  let draw: Promise<DrawBatch>;
  let queue = Promise.resolve();
  parentPort!.on('message', (request: Source | { step: number }) => {
    if (!('step' in request)) {
      draw = Promise.resolve(request).then(open);
      // A failure is the answer to the first request.
      draw.catch(() => {});
      return;
    }
    queue = queue.then(async () => {
      const notes: [string, string?][] = [];
      const transfer: ArrayBuffer[] = [];
      let reply: LoaderReply;
      try {
        const batch = await (await draw)(request.step, (message, key) => notes.push([message, key]));
        for (const t of Object.values(batch)) transfer.push(t.data.buffer as ArrayBuffer);
        reply = { step: request.step, notes, batch };
      } catch (error) {
        reply = { step: request.step, notes, error: messageOf(error), bad: error instanceof NarrowsError };
      }
      parentPort!.postMessage(reply, [...new Set(transfer)]);
    });
  });
}

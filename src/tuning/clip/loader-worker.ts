/** @file The thread that draws batches; see loader.ts. */
import { parentPort } from 'node:worker_threads';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { type Batch, sceneBatch } from './batch.ts';
import type { BatchSource, LoaderReply } from './loader.ts';
import { type Note, PairBatches } from './pair-batch.ts';

let draw: ((step: number, note: Note) => Batch | Promise<Batch>) | undefined;
// One batch after the other, in the order of the requests.
let queue = Promise.resolve();

parentPort!.on('message', (request: BatchSource | { step: number }) => {
  if ('step' in request) {
    queue = queue.then(() => answer(request.step));
  } else if ('world' in request) {
    draw = step => sceneBatch(request.world, request.settings, step);
  } else {
    const batches = new PairBatches(request.pairs);
    draw = (step, note) => batches.batch(step, note);
  }
});

async function answer(step: number): Promise<void> {
  const notes: [string, string?][] = [];
  let reply: LoaderReply;
  const transfer: ArrayBuffer[] = [];
  try {
    const batch = await draw!(step, (message, key) => notes.push([message, key]));
    for (const t of Object.values(batch)) transfer.push(t.data.buffer as ArrayBuffer);
    reply = { step, notes, batch };
  } catch (error) {
    reply = { step, notes, error: messageOf(error), bad: error instanceof NarrowsError };
  }
  parentPort!.postMessage(reply, transfer);
}

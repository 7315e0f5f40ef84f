/**
 * @file For `node --import`: tells the parent, by a message `{ work }`, how many milliseconds the main thread has worked between two turns of the event loop at
 * most. Work counts, not the clock: on a busy machine a loop waits for its turn. It is read from the scheduler's figures (Linux); nothing is told without.
 */
import { readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/** Milliseconds between two looks, and looks between two messages. */
const [LOOK, TELL] = [5, 20];

function worked() {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return Number.NaN;
  }
}

if (isMainThread && process.send && !Number.isNaN(worked())) {
  let last = worked();
  let most = 0;
  let looks = 0;
  setInterval(() => {
    const now = worked();
    most = Math.max(most, now - last);
    last = now;
    if (++looks % TELL > 0 || !process.connected) return;
    process.send({ work: most });
    most = 0;
  }, LOOK).unref();
  process.channel?.unref();
}

/**
 * @file For `node --import`: tells the parent, by a message `{ work, collecting }`, how many milliseconds the main thread has worked between two turns of the
 * event loop at most, and for how many of those V8 collected garbage. Work counts, not the clock: on a busy machine a loop waits for its turn. It is read from the scheduler's figures (Linux); nothing is told without.
 */
import { readFileSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';
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
  let began = performance.now();
  let longest = { work: 0, from: 0, to: 0 };
  let looks = 0;
  // Collections are told of after the turn that they were in.
  let collections = [];
  new PerformanceObserver(list => collections.push(...list.getEntries())).observe({ entryTypes: ['gc'] });
  setInterval(() => {
    const [now, at] = [worked(), performance.now()];
    if (now - last > longest.work) longest = { work: now - last, from: began, to: at };
    [last, began] = [now, at];
    if (++looks % TELL > 0 || !process.connected) return;
    const { work, from, to } = longest;
    const inside = collections.filter(({ startTime }) => startTime >= from && startTime < to);
    process.send({
      work,
      collecting: Math.min(
        work,
        inside.reduce((sum, { duration }) => sum + duration, 0),
      ),
    });
    longest = { work: 0, from: 0, to: 0 };
    collections = [];
  }, LOOK).unref();
  process.channel?.unref();
}

/** @file A worker that sleeps, works or ends as it is told, in seconds: a machine that stands still, an endless loop, a thread that is gone. */
import { type LimitedWorkerData, serve } from '../limits.ts';
import { workerData } from '../threads.ts';

/** What the worker does before it answers. */
export interface Orders {
  readonly sleep?: number;
  readonly work?: number;
  readonly end?: boolean;
}

const clock = new Int32Array(new SharedArrayBuffer(4));

serve(workerData as LimitedWorkerData, message => {
  const { sleep = 0, work = 0, end = false } = message as Orders;
  if (end) process.exit();
  Atomics.wait(clock, 0, 0, sleep * 1000);
  const start = process.cpuUsage().user;
  while ((process.cpuUsage().user - start) / 1e6 < work);
  return `slept ${sleep}`;
});

/** @file The worker's side of messages.ts: jobs one after another, each ended by the page when it likes. */
import type { FromWorker, ToWorker } from './messages.ts';
import { failureOf, runJob } from './run-job.ts';

/** What of a worker's global scope is needed. */
export interface WorkerScope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker): void;
}

/** Serves one model in this worker. */
export function serveWorker(scope: WorkerScope): void {
  const running = new Map<number, AbortController>();
  let last: Promise<unknown> = Promise.resolve();
  scope.onmessage = ({ data }) => {
    if ('abort' in data) {
      running.get(data.id)?.abort();
      return;
    }
    const { id, job } = data;
    const controller = new AbortController();
    const { signal } = controller;
    running.set(id, controller);
    last = last.then(async () => {
      try {
        signal.throwIfAborted();
        await runJob(job, event => scope.postMessage({ id, event }), signal);
      } catch (error) {
        scope.postMessage({ id, event: { kind: 'failure', ...failureOf(error, signal) } });
      }
      running.delete(id);
      scope.postMessage({ id, end: true });
    });
  };
}

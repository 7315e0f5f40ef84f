/**
 * @file `narrows/web/worker`: a worker that holds one model and explains pictures beside the page, with live maps and cancel. Import it in a worker
 * script of your own, and give that worker to `connectWorker` of `narrows/web`.
 */
import { serveWorker, type WorkerScope } from '../studio/browser/serve-worker.ts';

serveWorker(globalThis as unknown as WorkerScope);

/** @file The studio's worker in a browser: this module runs in a worker of its own, which holds one model. */
import { serveWorker, type WorkerScope } from './serve-worker.ts';

serveWorker(globalThis as unknown as WorkerScope);

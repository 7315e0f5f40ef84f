/** @file Batches of scenes drawn ahead in a worker thread. */
import type { Worker } from 'node:worker_threads';
import type { SceneWorld } from '../../scenes/sprite-atlas.ts';
import { spawnWorker } from '../../system/spawn.ts';
import type { Batch, SceneBatchSettings } from './batch.ts';

/** Message to the worker: what to draw from, or a step to draw. */
export type LoaderRequest = { readonly world: SceneWorld; readonly settings: SceneBatchSettings } | { readonly step: number };
export interface LoaderReply {
  readonly step: number;
  readonly batch?: Batch;
  readonly error?: string;
}

/** Keeps `ahead` batches drawn. Steps are asked for in rising order; any order works. */
export class SceneLoader {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, PromiseWithResolvers>();
  private failure: Error | undefined;
  constructor(
    world: SceneWorld,
    settings: SceneBatchSettings,
    private readonly ahead = 3,
  ) {
    this.worker = spawnWorker('loader-worker', import.meta.url);
    this.worker.on('message', ({ step, batch, error }: LoaderReply) => {
      const entry = this.waiting.get(step);
      if (batch) entry?.resolve(batch);
      else entry?.reject(new Error(error));
    });
    this.worker.on('error', error => {
      this.failure = error;
      for (const entry of this.waiting.values()) entry.reject(error);
    });
    this.worker.postMessage({ world, settings } satisfies LoaderRequest);
  }

  /** The batch of a step. */
  async batch(step: number): Promise<Batch> {
    if (this.failure) throw this.failure;
    for (let s = step; s <= step + this.ahead; s++) this.request(s);
    const batch = await this.waiting.get(step)!.promise;
    this.waiting.delete(step);
    return batch;
  }

  private request(step: number): void {
    if (this.waiting.has(step)) return;
    const entry = withResolvers();
    entry.promise.catch(() => {});
    this.waiting.set(step, entry);
    this.worker.postMessage({ step } satisfies LoaderRequest);
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }
}

interface PromiseWithResolvers {
  readonly promise: Promise<Batch>;
  resolve(batch: Batch): void;
  reject(error: unknown): void;
}

function withResolvers(): PromiseWithResolvers {
  let resolve!: (batch: Batch) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<Batch>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

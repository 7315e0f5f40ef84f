/** @file Goes over the blocks of a comparison, in this thread or in several worker threads, each with a model of its own. */
import type { Worker } from '../../../node/threads.ts';
import { spawnWorker } from '../../../node/threads.ts';
import { NarrowsError } from '../../../system/errors.ts';
import type { SampleSource } from '../data/sample.ts';
import type { CompareSpec } from '../settings.ts';
import { BlockRunner } from './block.ts';
import { loadModel } from './load-model.ts';
import type { WorkerReply, WorkerRequest, WorkerStart } from './messages.ts';

/** What a run is told. */
export interface PoolRun {
  /** Worker threads; 0 works in this thread. */
  readonly workers: number;
  /** Where randomised models may be written. */
  readonly folder: string;
  readonly signal?: AbortSignal;
  /** Pairs done, with parts of those in hand. */
  readonly onProgress?: (pairs: number) => void;
  readonly onWarning?: (message: string) => void;
}

/** Pairs done so far, where blocks come on at the same time. */
class Tally {
  private finished = 0;
  private readonly parts = new Map<object, number>();
  constructor(private readonly tell: ((pairs: number) => void) | undefined) {}

  part(of: object, pairs: number): void {
    this.parts.set(of, pairs);
    this.told();
  }

  done(of: object, pairs: number): void {
    this.parts.delete(of);
    this.finished += pairs;
    this.told();
  }

  private told(): void {
    this.tell?.(this.finished + [...this.parts.values()].reduce((a, b) => a + b, 0));
  }
}

/**
 * Does all blocks. What is done stands in the cache, whatever happens then.
 * @throws NarrowsError for bad data or a bad model, the signal's reason when aborted (after every worker has saved its records)
 */
export async function runBlocks(
  spec: CompareSpec,
  source: SampleSource,
  blocks: readonly (readonly number[])[],
  run: PoolRun,
): Promise<void> {
  const told = new Set<string>();
  const warn = (message: string): void => {
    if (!told.has(message)) run.onWarning?.(message);
    told.add(message);
  };
  if (run.workers === 0) return runHere(spec, source, blocks, { ...run, onWarning: warn });
  const queue = [...blocks];
  const tally = new Tally(run.onProgress);
  const count = Math.min(run.workers, blocks.length);
  const outcomes = await Promise.allSettled(Array.from({ length: count }, () => serve(spec, queue, tally, { ...run, onWarning: warn })));
  run.signal?.throwIfAborted();
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

async function runHere(spec: CompareSpec, source: SampleSource, blocks: readonly (readonly number[])[], run: PoolRun): Promise<void> {
  await using model = await loadModel(spec.model);
  const runner = new BlockRunner(spec, source, model, loadModel, run.folder);
  const tally = new Tally(run.onProgress);
  try {
    for (const block of blocks) {
      run.signal?.throwIfAborted();
      await runner.run(block, { ...run, onProgress: share => tally.part(block, share * block.length) });
      tally.done(block, block.length);
    }
  } finally {
    await runner.release();
  }
}

/** One worker from its start to its end; takes blocks from the queue. */
function serve(spec: CompareSpec, queue: (readonly number[])[], tally: Tally, run: PoolRun): Promise<void> {
  const start: WorkerStart = { spec, folder: run.folder };
  const worker: Worker = spawnWorker('worker', import.meta.url, { workerData: start });
  const post = (request: WorkerRequest): void => worker.postMessage(request);
  return new Promise((resolve, reject) => {
    let block: readonly number[] | undefined;
    let failure: Error | undefined;
    const stop = (): void => post({ stop: true });
    run.signal?.addEventListener('abort', stop, { once: true });
    const next = (): void => {
      block = failure || run.signal?.aborted ? undefined : queue.shift();
      // A worker is asked to end, never ended: its native code may be at work.
      post(block ? { block } : { close: true });
    };
    const end = (error?: Error): void => {
      run.signal?.removeEventListener('abort', stop);
      if (error) reject(error);
      else resolve();
    };
    worker.on('message', (reply: WorkerReply) => {
      if (reply.kind === 'progress') tally.part(worker, reply.share * (block?.length ?? 0));
      else if (reply.kind === 'warning') run.onWarning?.(reply.message);
      else if (reply.kind === 'closed') end(failure);
      else {
        if (reply.kind === 'done') tally.done(worker, block!.length);
        if (reply.kind === 'error') {
          failure = reply.bad ? new NarrowsError(reply.message) : Object.assign(new Error(reply.message), { stack: reply.stack });
          // The others shall not begin anything that nobody will see.
          queue.length = 0;
        }
        next();
      }
    });
    worker.on('error', error => end(error as Error));
    worker.on('exit', () => end(failure ?? new Error('A worker of the comparison ended before its time.')));
  });
}

/** @file Who attributes the pairs of an audit: this thread, or several worker threads with a model each. */
import { availableParallelism } from 'node:os';
import { createMethod } from '../../attribution/registry.ts';
import type { Pool } from '../../jobs/cell.ts';
import { localPool } from '../../jobs/local-pool.ts';
import type { RankThreads } from '../../jobs/rank-threads.ts';
import { threadPool } from '../../jobs/thread-pool.ts';
import type { DualEncoder } from '../../models/dual-encoder.ts';
import { freeMemory } from '../../node/machine.ts';
import { spawnWorker } from '../../node/threads.ts';
import type { AuditJob } from './audit-plan.ts';
import type { FinishedPair } from './audit-store.ts';
import { auditWork } from './audit-work.ts';
import type { Kind } from './output.ts';
import { type AttributeSettings, runOf } from './settings.ts';

/** Pairs below which starting threads costs more than it gains. */
const FEW = 8;
/** Bytes that a thread takes besides weights and intermediate values. */
const THREAD = 200e6;
/** Default of `--max-memory`, bytes. */
const INTERMEDIATE = 512e6;

/** What a worker thread starts with: everything as plain data. */
export interface AuditWorkerStart {
  readonly settings: Omit<AttributeSettings, 'entry'>;
  /** Name of the method. */
  readonly method: string;
  readonly plugins: readonly string[];
  readonly directory: string;
  readonly kinds: readonly Kind[];
}

/** Where the pairs of an audit are attributed, and into which files. */
export interface AuditPlace {
  readonly settings: AttributeSettings;
  readonly plugins: readonly string[];
  readonly directory: string;
  readonly kinds: readonly Kind[];
}

/** How many threads an audit of so many pairs gets; 0: this one. @param free bytes of memory that may be taken */
export function defaultWorkers(
  pairs: number,
  model: Pick<DualEncoder, 'checkpoint'>,
  maxMemory = INTERMEDIATE,
  { cores = availableParallelism(), free = freeMemory() }: { readonly cores?: number; readonly free?: number } = {},
): number {
  if (pairs < FEW) return 0;
  const weights = [...model.checkpoint.entries.values()].reduce((sum, entry) => sum + entry.length, 0);
  // Files are mapped once for all threads; each repacks the weights for itself.
  const workers = Math.min(cores, pairs, Math.floor(free / (weights + maxMemory + THREAD)));
  return workers > 1 ? workers : 0;
}

/** @param workers threads of each process; 0 works in this one, with `model` @param crew threads of other processes, where there are some. Maps and tables are the same to the last bit */
export function auditPool(place: AuditPlace, model: DualEncoder, workers: number, crew?: RankThreads): Pool<AuditJob, FinishedPair> {
  const { settings, plugins, directory, kinds } = place;
  const { entry, ...plain } = settings;
  if (workers > 0 || crew) {
    const workerData: AuditWorkerStart = { settings: plain, method: entry.name, plugins, directory, kinds };
    const start = { module: 'audit-worker', base: import.meta.url, workerData };
    if (crew) return threadPool({ width: crew.width(Math.max(1, workers)), spawn: index => crew.spawn(index, start) });
    return threadPool({ width: workers, spawn: () => spawnWorker(start.module, start.base, { workerData }) });
  }
  return {
    width: 1,
    async run(tasks, hooksOf, signal) {
      await using method = createMethod(entry, model, settings.values);
      const work = auditWork({ settings, run: await runOf(settings), method, directory, kinds });
      await localPool(work).run(tasks, hooksOf, signal);
    },
  };
}

/** @file Who computes the blocks of a comparison: this thread, or several worker threads with a model each. */
import type { Pool } from '../../../jobs/cell.ts';
import { localPool } from '../../../jobs/local-pool.ts';
import type { RankThreads } from '../../../jobs/rank-threads.ts';
import { threadPool } from '../../../jobs/thread-pool.ts';
import { spawnWorker } from '../../../node/threads.ts';
import type { SampleSource } from '../data/sample.ts';
import type { CompareSpec } from '../settings.ts';
import { BlockRunner } from './block.ts';
import type { CompareCell, CompareCells } from './cells.ts';
import { loadModel } from './load-model.ts';

/** A block as the plan has it. */
export interface PlannedBlock {
  /** Places of the samples in their source. */
  readonly indices: readonly number[];
  /** Names of all cells of its pairs. */
  readonly keys: () => readonly string[];
}

/** What a worker thread starts with. */
export interface WorkerStart {
  readonly spec: CompareSpec;
  /** Where randomised models may be written. */
  readonly folder: string;
}

/** What a worker thread is sent of a block: its cells of earlier runs go with it, so that it needs no file. */
export interface BlockMessage {
  readonly indices: readonly number[];
  readonly known: readonly (readonly [string, CompareCell])[];
}

/** @param workers threads of each process; 0 works in this thread. @param crew threads of other processes, where there are some. @param folder where randomised models may be written */
export function blockPool(
  spec: CompareSpec,
  source: SampleSource,
  cells: CompareCells,
  { workers, folder, crew }: { readonly workers: number; readonly folder: string; readonly crew?: RankThreads },
): Pool<PlannedBlock, CompareCell> {
  const start = { module: 'worker', base: import.meta.url, workerData: { spec, folder } satisfies WorkerStart };
  if (workers > 0 || crew)
    return threadPool({
      width: crew?.width(Math.max(1, workers)) ?? workers,
      spawn: index => crew?.spawn(index, start) ?? spawnWorker(start.module, start.base, { workerData: start.workerData }),
      message: ({ indices, keys }): BlockMessage => ({
        indices,
        known: keys().flatMap(key => {
          const result = cells.result(key);
          return result === undefined ? [] : [[key, result] as const];
        }),
      }),
    });
  return {
    width: 1,
    async run(tasks, hooksOf, signal) {
      await using model = await loadModel(spec.model);
      const runner = new BlockRunner(spec, source, model, loadModel, folder);
      try {
        const work = ({ indices }: PlannedBlock, hooks: Parameters<BlockRunner['run']>[1]) => runner.run({ indices, cells }, hooks);
        await localPool<PlannedBlock, CompareCell>(work).run(tasks, hooksOf, signal);
      } finally {
        await runner.release();
      }
    },
  };
}

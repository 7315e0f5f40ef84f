/** @file Batches of a CLIP run, drawn ahead in a worker thread. */

import { spawnWorker } from '../../node/threads.ts';
import type { SceneWorld } from '../../scenes/sprite-atlas.ts';
import { type Note, WorkerBatches } from '../batch-loader.ts';
import type { Span } from '../parallel/leaves.ts';
import type { SceneBatchSettings } from './batch.ts';
import type { ChestBatchSettings } from './chest-batch.ts';
import type { PairBatchSettings } from './pair-batch.ts';

/** What batches are drawn from: the worker's first message. */
export type BatchSource = (
  | { readonly world: SceneWorld; readonly settings: SceneBatchSettings }
  | { readonly pairs: PairBatchSettings }
  | { readonly chests: ChestBatchSettings }
) & {
  /** Only these rows of each batch, as `rowsOf` gives them. */
  readonly rows?: Span;
};

/** Keeps some batches drawn. */
export class BatchLoader extends WorkerBatches {
  /** @param note called with what the worker has to report, when the batch is taken */
  constructor(source: BatchSource, note?: Note, ahead?: number) {
    super(spawnWorker('loader-worker', import.meta.url), source, note, ahead);
  }
}

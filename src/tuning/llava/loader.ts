/** @file Batches of conversations, drawn ahead in a worker thread. */
import { spawnWorker } from '../../node/threads.ts';
import { type Note, WorkerBatches } from '../batch-loader.ts';
import type { FileBatchSettings } from './file-batch.ts';

/** Keeps some batches drawn. */
export class ChatLoader extends WorkerBatches {
  /** @param note called for samples that are cut or teach nothing, when the batch is taken */
  constructor(settings: FileBatchSettings, note?: Note, ahead?: number) {
    super(spawnWorker('loader-worker', import.meta.url), settings, note, ahead);
  }
}

/** @file A worker thread of an audit: opens the model for itself and measures one finding after another. */
import { serveTasks } from '../../jobs/thread-worker.ts';
import { workerData } from '../../node/threads.ts';
import { loadModel } from '../compare/engine/load-model.ts';
import type { AuditRecord } from './record.ts';
import { type AuditPiece, type AuditStart, openAuditWork } from './work.ts';

await serveTasks<AuditPiece, AuditRecord>(async () => {
  const { model: reference, place } = workerData as AuditStart;
  const model = await loadModel(reference);
  const { work, release } = await openAuditWork(model, place);
  return {
    work,
    async release() {
      await release();
      await model.release();
    },
  };
});

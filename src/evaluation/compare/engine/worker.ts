/** @file A worker thread of a comparison: opens the model and the samples for itself, and does one block after another. */
import { serveTasks } from '../../../jobs/thread-worker.ts';
import { workerData } from '../../../node/threads.ts';
import { loadExtensions } from '../../extensions.ts';
import { openSource } from '../data/open.ts';
import { BlockRunner } from './block.ts';
import type { BlockMessage, WorkerStart } from './block-pool.ts';
import type { CompareCell } from './cells.ts';
import { loadModel } from './load-model.ts';

await serveTasks<BlockMessage, CompareCell>(async () => {
  const { spec, folder } = workerData as WorkerStart;
  await loadExtensions(spec);
  const model = await loadModel(spec.model);
  const runner = new BlockRunner(spec, await openSource(spec.data), model, loadModel, folder);
  return {
    work: ({ indices, known }, hooks) => {
      const cells = new Map(known);
      return runner.run({ indices, cells: { result: key => cells.get(key), failure: () => undefined } }, hooks);
    },
    async release() {
      await runner.release();
      await model.release();
    },
  };
});

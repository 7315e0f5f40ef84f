/** @file A worker thread of a ROAR+ run: opens the model for itself and does one piece of the run after another. */
import { serveTasks } from '../../jobs/thread-worker.ts';
import { CLIPModel } from '../../models/pretrained.ts';
import { ownCores } from '../../node/machine.ts';
import { workerData } from '../../node/threads.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { loadSprites } from '../../scenes/sprites.ts';
import { loadExtensions } from '../extensions.ts';
import type { RoarMessage, RoarStart } from './run.ts';
import { type RoarCell, RoarWork } from './work.ts';

await serveTasks<RoarMessage, RoarCell>(async () => {
  const { plugins, threads, ...start } = workerData as RoarStart;
  await loadExtensions({ plugins });
  const runtime = nodeRuntime({ threads: threads || ownCores() });
  const model = await CLIPModel.fromPretrained(start.reference, { runtime });
  const run = new RoarWork({ ...start, model, runtime, world: await loadSprites({}) });
  return {
    work({ job, known }, hooks) {
      const cells = new Map(known);
      const of = (key: string): { readonly result?: RoarCell; readonly failure?: string } => cells.get(key) ?? {};
      return run.run(job, { result: key => of(key).result, failure: key => of(key).failure }, hooks);
    },
    async release() {
      await run.release();
      await model.release();
      await runtime.release();
    },
  };
});

/** @file A worker thread of an audit: opens the model for itself and attributes one pair after another. */
import { createMethod, findMethod } from '../../attribution/registry.ts';
import type { RegisteredMethod } from '../../attribution/subject.ts';
import { loadExtensions } from '../../evaluation/extensions.ts';
import { serveTasks } from '../../jobs/thread-worker.ts';
import { loadModel } from '../../models/pretrained.ts';
import { workerData } from '../../node/threads.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import type { AuditJob } from './audit-plan.ts';
import type { AuditWorkerStart } from './audit-pool.ts';
import type { FinishedPair } from './audit-store.ts';
import { auditWork } from './audit-work.ts';
import { runOf } from './settings.ts';

await serveTasks<AuditJob, FinishedPair>(async () => {
  const { settings: plain, method: name, plugins, directory, kinds } = workerData as AuditWorkerStart;
  await loadExtensions({ plugins });
  const settings = { ...plain, entry: findMethod(name) as RegisteredMethod };
  // The cores are shared out over the workers.
  const model = await loadModel(settings.model, { runtime: nodeRuntime({ threads: 1 }) });
  const method = createMethod(settings.entry, model, settings.values);
  return {
    work: auditWork({ settings, run: await runOf(settings), method, directory, kinds }),
    async release() {
      await method.release();
      await model.release();
    },
  };
});

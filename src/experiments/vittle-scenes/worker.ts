/** @file A worker thread of the experiment: opens start, world and exams for itself and does one run after another. */
import { serveTasks } from '../../jobs/thread-worker.ts';
import { ownCores } from '../../node/machine.ts';
import { workerData } from '../../node/threads.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { loadSprites } from '../../scenes/sprites.ts';
import { compileTower, towerOf } from '../../tuning/llava/scene-task.ts';
import { llavaSource } from '../../tuning/llava/source.ts';
import { TowerCache } from '../../tuning/llava/tower-cache.ts';
import { prepareExams } from './exams/prepare.ts';
import type { ExperimentMessage, ExperimentWorkerStart, Sitting } from './laboratory.ts';
import type { RunOutcome } from './outcome.ts';
import { tuneAndExamine } from './tune-and-examine.ts';

await serveTasks<ExperimentMessage, RunOutcome>(async () => {
  const { settings, output, numThreads } = workerData as ExperimentWorkerStart;
  const runtime = nodeRuntime({ threads: numThreads || ownCores() });
  const source = await llavaSource(settings.start);
  const tower = await compileTower(runtime, towerOf(source));
  const start = { source, world: await loadSprites(), tower: new TowerCache(tower) };
  const prepared = new Map<Sitting['split'], Sitting['exams']>();
  return {
    async work({ job, split }, hooks) {
      const exams = prepared.get(split) ?? (await prepareExams(towerOf(source), tower, settings, split));
      prepared.set(split, exams);
      await tuneAndExamine({ runtime, output, start }, exams, job, hooks);
    },
    async release() {
      await tower.release();
      await runtime.release();
    },
  };
});

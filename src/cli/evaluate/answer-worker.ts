/** @file A worker thread of `narrows evaluate`: opens model and sets for itself and answers one batch after another. */
import type { Answer } from '../../evaluation/run/answerer.ts';
import { askBatch, type BatchMessage, type Seat, seatsOf } from '../../evaluation/run/asking.ts';
import { serveTasks } from '../../jobs/thread-worker.ts';
import { ownCores } from '../../node/machine.ts';
import { workerData } from '../../node/threads.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { silent } from '../../system/log.ts';
import { quietContext } from '../studio/quiet-context.ts';
import type { AnswerStart } from './answer-pool.ts';
import { openAnswering } from './open-answerer.ts';
import { openSets } from './open-sets.ts';

await serveTasks<BatchMessage, Answer>(async () => {
  const { options, given, seed } = workerData as AnswerStart;
  // What is found on opening, the process that holds the answers finds and says too; what a batch finds goes there.
  let warn: (message: string) => void = () => {};
  const context = { ...quietContext(), seed, log: { ...silent, warn: (message: string) => warn(message) } };
  const { sets, pictures, means } = await openSets(context, options);
  const runtime = nodeRuntime({ threads: ownCores() });
  const answering = await openAnswering(context, options, new Set(given), options.output as string, runtime);
  const asked = sets.map(set => ({ ...set, answerer: answering.of(set.benchmark) }));
  const seats: Seat[] = [];
  for await (const seat of seatsOf(asked, { seed, pictures, means })) seats.push(seat);
  return {
    work(message, hooks) {
      warn = hooks.onWarning;
      return askBatch(seats, message, hooks);
    },
    async release() {
      await answering[Symbol.asyncDispose]();
      await runtime.release();
    },
  };
});

/** @file A worker thread of a comparison: opens the model and the samples for itself, and does one block after another. */

import type { DualEncoder } from '../../../models/dual-encoder.ts';
import { parentPort, workerData } from '../../../node/threads.ts';
import { messageOf, NarrowsError } from '../../../system/errors.ts';
import { loadExtensions } from '../../extensions.ts';
import { openSource } from '../data/open.ts';
import { BlockRunner } from './block.ts';
import { loadModel } from './load-model.ts';
import type { WorkerReply, WorkerRequest, WorkerStart } from './messages.ts';

async function main(port: NonNullable<typeof parentPort>): Promise<void> {
  const { spec, folder } = workerData as WorkerStart;
  const say = (reply: WorkerReply): void => port.postMessage(reply);
  const stop = new AbortController();
  let runner: BlockRunner | undefined;
  let model: DualEncoder | undefined;
  const told = (error: unknown): WorkerReply =>
    stop.signal.aborted
      ? { kind: 'stopped' }
      : { kind: 'error', message: messageOf(error), bad: error instanceof NarrowsError, stack: (error as Error)?.stack };
  port.on('message', async (request: WorkerRequest) => {
    if ('stop' in request) return stop.abort(new Error('stopped'));
    try {
      if ('close' in request) {
        await runner?.release();
        await model?.release();
        say({ kind: 'closed' });
        return port.close();
      }
      await runner!.run(request.block, {
        signal: stop.signal,
        onProgress: share => say({ kind: 'progress', share }),
        onWarning: message => say({ kind: 'warning', message }),
      });
      say({ kind: 'done' });
    } catch (error) {
      say(told(error));
    }
  });
  try {
    await loadExtensions(spec);
    model = await loadModel(spec.model);
    runner = new BlockRunner(spec, await openSource(spec.data), model, loadModel, folder);
    say({ kind: 'ready' });
  } catch (error) {
    say(told(error));
  }
}

if (parentPort) await main(parentPort);

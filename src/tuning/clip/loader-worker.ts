/** @file The thread that draws batches of scenes; see loader.ts. */
import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../system/errors.ts';
import { type SceneBatchSettings, sceneBatch } from './batch.ts';
import type { LoaderReply, LoaderRequest } from './loader.ts';

let source: Extract<LoaderRequest, { world: unknown }> | undefined;

parentPort!.on('message', (request: LoaderRequest) => {
  if ('world' in request) {
    source = request;
    return;
  }
  let reply: LoaderReply;
  const transfer: ArrayBuffer[] = [];
  try {
    const batch = sceneBatch(source!.world, source!.settings as SceneBatchSettings, request.step);
    for (const t of Object.values(batch)) transfer.push(t.data.buffer as ArrayBuffer);
    reply = { step: request.step, batch };
  } catch (error) {
    reply = { step: request.step, error: messageOf(error) };
  }
  parentPort!.postMessage(reply, transfer);
});

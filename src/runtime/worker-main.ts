/** @file The other side of worker.ts: runs in a worker thread, holds the sessions, does one job after another. */
import { parentPort, workerData } from '../node/threads.ts';
import { messageOf } from '../system/errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { nodeRuntime } from './node.ts';
import type { CompileOptions, Executable, Feeds } from './runtime.ts';

/** What the pool asks for: compile the session unless known, and run it where feeds are given; or release it. */
export type Request =
  | { readonly release: number }
  | {
      readonly session: number;
      readonly source?: { readonly model: Uint8Array; readonly options: CompileOptions };
      readonly feeds?: Feeds;
      readonly outputs?: readonly string[];
    };

/** The answer to a job; `compiled` tells whether the worker holds the session now. */
export type Reply = { readonly results: Record<string, Tensor> } | { readonly error: string; readonly compiled: boolean };

const { threads, busy } = workerData as { threads?: number; busy: Int32Array };
const runtime = nodeRuntime({ threads });
const sessions = new Map<number, Executable>();

async function work(request: Request): Promise<Reply | undefined> {
  if ('release' in request) {
    await sessions.get(request.release)?.release();
    sessions.delete(request.release);
    return undefined;
  }
  try {
    const { session, source, feeds, outputs } = request;
    if (source) sessions.set(session, await runtime.compile(source.model, source.options));
    return { results: feeds ? await sessions.get(session)!.run(feeds, { outputs }) : {} };
  } catch (error) {
    return { error: messageOf(error), compiled: sessions.has(request.session) };
  }
}

parentPort?.on('message', async (request: Request) => {
  const reply = await work(request);
  // Whoever wants to end this thread waits for this (see worker.ts).
  Atomics.store(busy, 0, 0);
  Atomics.notify(busy, 0);
  if (reply) parentPort!.postMessage(reply, 'results' in reply ? Object.values(reply.results).map(t => t.data.buffer as ArrayBuffer) : []);
});

/** @file ONNX Runtime in worker threads, so that a server's event loop stays free while graphs run. */

import { createRequire } from '../node/paths.ts';
import { spawnWorker, type Worker } from '../node/threads.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { deviceFacts, deviceOf } from './device.ts';
import { mappedWeights } from './mapped-weights.ts';
import { fillInto, releasedError, sizesOk } from './ort.ts';
import type { CompileOptions, Executable, Feeds, RunOptions, Runtime } from './runtime.ts';
import type { Reply, Request } from './worker-main.ts';

/** Options of `workerRuntime`. */
export interface WorkerOptions {
  /** Threads inside an op, per worker; 0 lets the runtime decide. With several workers take about cores / size. */
  readonly threads?: number;
  /** Workers, each with sessions of its own; 1 by default. A worker compiles a graph when it first runs it. */
  readonly size?: number;
}

interface Session {
  readonly id: number;
  readonly source: { readonly model: Uint8Array; readonly options: CompileOptions };
  released: boolean;
}

interface Job {
  readonly session: Session;
  readonly feeds?: Feeds;
  readonly outputs?: readonly string[];
  readonly resolve: (results: Record<string, Tensor>) => void;
  readonly reject: (error: Error) => void;
}

interface Slot {
  readonly worker: Worker;
  /** Sessions that the worker holds. */
  readonly known: Set<number>;
  /** Shared with the worker: 1 from the sending of a job until its native code has returned. */
  readonly busy: Int32Array;
  job?: Job;
}

/**
 * Ending a thread inside ONNX Runtime's native code aborts the whole process ("terminate called after throwing an instance of
 * Napi::Error"), so a thread is only ended when that code has returned; `process.exit` waits for it too.
 */
const busySlots = new Set<Slot>();
process.on('exit', () => {
  for (const { busy } of busySlots) Atomics.wait(busy, 0, 1, 60_000);
});

/** Workers and the jobs that wait for them, in order. */
class Pool {
  readonly slots = new Set<Slot>();
  private readonly waiting: Job[] = [];
  private closed = false;

  constructor(private readonly options: WorkerOptions) {}

  /** Compiles `session` somewhere, and runs it where feeds are given. The feeds are the pool's own. */
  do(session: Session, feeds?: Feeds, options: RunOptions = {}): Promise<Record<string, Tensor>> {
    const { outputs, signal } = options;
    return new Promise((resolve, reject) => {
      if (this.closed) return reject(new Error('This runtime is already released.'));
      if (signal?.aborted) return reject(signal.reason);
      const abort = (): void => this.cancel(job, signal!.reason);
      const settled =
        <T>(then: (value: T) => void) =>
        (value: T): void => {
          signal?.removeEventListener('abort', abort);
          then(value);
        };
      // Rejecting twice is harmless: the first outcome stands.
      const job: Job = { session, feeds, outputs, resolve: settled(resolve), reject: settled(reject) };
      signal?.addEventListener('abort', abort, { once: true });
      this.waiting.push(job);
      this.next();
    });
  }

  /** Tells every worker that holds the session to free it. */
  forget(session: Session): void {
    session.released = true;
    for (const { worker, known } of this.slots) if (known.delete(session.id)) worker.postMessage({ release: session.id } satisfies Request);
  }

  async close(): Promise<void> {
    this.closed = true;
    const error = new Error('The runtime was released before the run had ended.');
    for (const job of this.waiting.splice(0)) job.reject(error);
    for (const slot of this.slots) slot.job?.reject(error);
    await Promise.all([...this.slots].map(slot => this.end(slot)));
  }

  /** Gives waiting jobs to idle workers, those that know the graph first. */
  private next(): void {
    while (this.waiting.length) {
      const [{ session }] = this.waiting;
      const idle = [...this.slots].filter(slot => !slot.job);
      const slot = idle.find(slot => slot.known.has(session.id)) ?? (this.slots.size < (this.options.size ?? 1) ? this.start() : idle[0]);
      if (!slot) return;
      this.send(slot, this.waiting.shift()!);
    }
  }

  private send(slot: Slot, job: Job): void {
    slot.job = job;
    Atomics.store(slot.busy, 0, 1);
    busySlots.add(slot);
    slot.worker.ref();
    const { session, feeds, outputs } = job;
    const source = slot.known.has(session.id) ? undefined : session.source;
    slot.worker.postMessage({ session: session.id, source, feeds, outputs } satisfies Request, buffersOf(feeds ?? {}));
  }

  private start(): Slot {
    const busy = new Int32Array(new SharedArrayBuffer(4));
    // The parent's own flags need not fit a worker.
    const worker = spawnWorker('worker-main', import.meta.url, { workerData: { threads: this.options.threads, busy }, execArgv: [] });
    const slot: Slot = { worker, known: new Set(), busy };
    this.slots.add(slot);
    worker.on('message', (reply: Reply) => this.answer(slot, reply));
    worker.on('error', error => this.drop(slot, error as Error));
    worker.on('exit', code => this.drop(slot, new Error(`The worker thread ended with code ${code} before the run had ended.`)));
    // After the listeners, which would hold the process: only a job in hand does.
    worker.unref();
    return slot;
  }

  private answer(slot: Slot, reply: Reply): void {
    const { job } = slot;
    if (!job) return;
    slot.job = undefined;
    busySlots.delete(slot);
    slot.worker.unref();
    if ('results' in reply || reply.compiled) slot.known.add(job.session.id);
    // An aborted job may end after its session was released.
    if (job.session.released) this.forget(job.session);
    if ('results' in reply) job.resolve(reply.results);
    else job.reject(new Error(reply.error));
    this.next();
  }

  /** A worker is gone: its job fails, its sessions are compiled again elsewhere when they are next run. */
  private drop(slot: Slot, error: Error): void {
    if (!this.slots.delete(slot)) return;
    busySlots.delete(slot);
    slot.job?.reject(error);
    slot.job = undefined;
    if (!this.closed) this.next();
  }

  /** Ends a worker once the job in its hands is done. */
  private async end(slot: Slot): Promise<void> {
    while (slot.job && this.slots.has(slot)) await new Promise(resolve => slot.worker.once('message', resolve).once('exit', resolve));
    this.slots.delete(slot);
    await slot.worker.terminate();
  }

  /** A job that waits is taken out. One that executes ends for its caller, while the worker finishes it before it takes another. */
  private cancel(job: Job, reason: Error): void {
    const at = this.waiting.indexOf(job);
    if (at >= 0) this.waiting.splice(at, 1);
    job.reject(reason);
  }
}

/** Buffers that may be moved to another thread. */
const buffersOf = (tensors: Feeds): ArrayBuffer[] => Object.values(tensors).map(t => t.data.buffer as ArrayBuffer);

/** A copy of just the elements (a view may stand in a far larger buffer), which can be moved while the caller keeps its arrays. */
const copies = (feeds: Feeds): Feeds =>
  Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, { ...t, data: t.data.slice() }]));

class WorkerExecutable implements Executable {
  private released = false;
  private readonly running = new Set<Promise<unknown>>();
  constructor(
    private readonly pool: Pool,
    private readonly session: Session,
  ) {}

  async run(inputs: Feeds, options: RunOptions = {}): Promise<Record<string, Tensor>> {
    if (this.released) throw releasedError();
    const run = this.pool.do(this.session, copies(inputs), options);
    this.running.add(run);
    try {
      const results = await run;
      return options.into ? fillInto(results, options.into) : results;
    } finally {
      this.running.delete(run);
    }
  }

  async release(): Promise<void> {
    if (this.released) return;
    this.released = true;
    await Promise.allSettled(this.running);
    this.pool.forget(this.session);
  }
}

let nextSession = 0;

/**
 * ONNX Runtime in a pool of worker threads: `run` never blocks the calling thread. Inputs are copied when `run` is called, results are
 * moved. A run goes to an idle worker, or waits for one. An aborted run rejects at once, though its worker is busy until the native code
 * returns. `release` rejects at once what has not ended, and resolves when the workers have. Idle workers do not keep the process alive.
 */
export function workerRuntime(options: WorkerOptions = {}): Runtime {
  const pool = new Pool(options);
  // Its workers take the device from the environment.
  const device = deviceOf(process.env.NARROWS_DEVICE);
  return {
    name: device === 'cpu' ? 'onnxruntime-node (worker)' : `onnxruntime-node (${device}, worker)`,
    ...deviceFacts(device),
    version: createRequire(import.meta.url)('onnxruntime-node/package.json').version,
    placeWeights: mappedWeights,
    async compile(model, compileOptions = {}) {
      sizesOk(model);
      const session: Session = { id: nextSession++, source: { model, options: compileOptions }, released: false };
      await pool.do(session);
      return new WorkerExecutable(pool, session);
    },
    release: () => pool.close(),
  };
}

/** @file Programs that come with data (templates) run in a worker, within limits of time and memory, and their caller waits for them. */
import { availableParallelism, loadavg } from 'node:os';
import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads';
import { LimitError } from '../system/time-limit.ts';
import { threadId, threadLives, workedSeconds } from './thread-work.ts';
import { spawnWorker } from './threads.ts';

/** What a worker of `LimitedWorker` gets first. */
export interface LimitedWorkerData {
  readonly port: MessagePort;
  /** A counter, raised by the worker when it is ready and after each answer; and the system's number of its thread, or 0. */
  readonly signal: SharedArrayBuffer;
}

/** A worker's answer. */
export type LimitedAnswer = { readonly value: unknown } | { readonly error: string };

/** Seconds that a worker may take to start, on a busy machine. */
const START = 60;
/** How many times the limit may pass by the clock while the worker has not worked so long: a machine may stand still for a minute. */
const PATIENCE = 60;
/** Where a thread cannot be looked at: share of the clock below which a process does nothing: on a machine of thirty programs one of low priority that has work gets a hundredth. */
const IDLE = 0.001;
/**
 * Idle rounds in succession after which a worker is taken for gone, and the same on a machine with more work than processors: one that has work may
 * get nothing there for ten seconds and more, above all where its pages must be read again.
 */
const IDLE_ROUNDS = { free: 2, busy: 6 } as const;

/**
 * A worker that answers one call after another, while this thread waits. A call that runs too long ends the worker (the next call starts
 * another); one that takes too much memory ends it, too.
 */
export class LimitedWorker {
  private running: { worker: Worker; port: MessagePort; signal: Int32Array } | undefined;

  /** @param name the module next to `base`, as for `spawnWorker`; it answers through `serve` */
  constructor(
    private readonly name: string,
    private readonly base: string,
    private readonly limits: { readonly seconds: number; readonly megabytes: number },
  ) {}

  private start(): NonNullable<LimitedWorker['running']> {
    if (this.running) return this.running;
    const { port1, port2 } = new MessageChannel();
    const signal = new SharedArrayBuffer(8);
    const worker = spawnWorker(this.name, this.base, {
      workerData: { port: port2, signal } satisfies LimitedWorkerData,
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: this.limits.megabytes, maxYoungGenerationSizeMb: 32 },
    });
    // Errors of memory come as an event, after the waiting is over; whoever waited has been answered.
    worker.on('error', () => undefined);
    worker.unref();
    port1.unref();
    this.running = { worker, port: port1, signal: new Int32Array(signal) };
    Atomics.wait(this.running.signal, 0, 0, START * 1000);
    return this.running;
  }

  /**
   * Waits for the worker. The limit is of work, not of the clock: on a machine with many other programs an honest template may wait long
   * for its turn. (Where only the process is counted: this thread stands still meanwhile, so what it works is the worker's.)
   */
  private wait(signal: Int32Array, before: number): void {
    const { seconds } = this.limits;
    const rounds = loadavg()[0] > 2 * availableParallelism() ? IDLE_ROUNDS.busy : IDLE_ROUNDS.free;
    const thread = Atomics.load(signal, 1);
    const start = workedSeconds(thread);
    let last = start;
    let idle = 0;
    for (let round = 0; round < PATIENCE; round++) {
      if (Atomics.wait(signal, 0, before, seconds * 1000) !== 'timed-out') return;
      // A worker that ran out of memory is gone without a word.
      const lives = threadLives(thread);
      if (lives === false) return;
      const now = workedSeconds(thread);
      // Where that cannot be seen: nothing works any more.
      idle = lives === undefined && now - last < IDLE * seconds ? idle + 1 : 0;
      if (now - start >= 0.9 * seconds || idle >= rounds) return;
      last = now;
    }
  }

  /**
   * The worker's answer to `message`, which is cloned.
   * @throws LimitError when there is none in time, or for want of memory
   * @throws Error with the worker's sentence where its work failed
   */
  call(message: unknown): unknown {
    const running = this.start();
    let before = Atomics.load(running.signal, 0);
    running.port.postMessage(message);
    if (before === 0) {
      // It is not ready yet, after all the time that it had.
      this.wait(running.signal, 0);
      before = 1;
    }
    this.wait(running.signal, before);
    const answer = receiveMessageOnPort(running.port)?.message as LimitedAnswer | undefined;
    if (answer === undefined) {
      this.running = undefined;
      running.port.close();
      void running.worker.terminate();
      throw new LimitError(`did not end within ${this.limits.seconds} s and ${this.limits.megabytes} MB`);
    }
    if ('error' in answer) throw new Error(answer.error);
    return answer.value;
  }
}

/** Answers the calls of a `LimitedWorker`, in the worker. */
export function serve({ port, signal }: LimitedWorkerData, answer: (message: unknown) => unknown): void {
  const counter = new Int32Array(signal);
  Atomics.store(counter, 1, threadId());
  const done = (): void => {
    Atomics.add(counter, 0, 1);
    Atomics.notify(counter, 0);
  };
  port.on('message', message => {
    let reply: LimitedAnswer;
    try {
      reply = { value: answer(message) };
    } catch (error) {
      reply = { error: error instanceof Error ? error.message : String(error) };
    }
    port.postMessage(reply);
    done();
  });
  done();
}

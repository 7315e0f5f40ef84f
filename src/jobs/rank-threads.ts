/**
 * @file Worker threads in other processes: rank 0 starts them and talks to them as to threads of its own, the other ranks pass messages on.
 * So a pool hands out tasks by demand over any number of machines, and only rank 0 holds the store.
 */
import { pack, unpack } from '../node/mpi/pack.ts';
import type { Ranks } from '../node/mpi/ranks.ts';
import { spawnWorker } from '../node/threads.ts';
import { messageOf, NarrowsError } from '../system/errors.ts';

/** What a pool needs of a thread; `Worker` of Node is one. */
export interface PoolThread {
  postMessage(message: unknown): void;
  on(event: 'message', listen: (message: unknown) => void): unknown;
  on(event: 'error', listen: (error: Error) => void): unknown;
  on(event: 'exit', listen: (code: number) => void): unknown;
}

/** Which module a thread runs, next to the module of URL `base`, and what it starts with. */
export interface ThreadStart {
  readonly module: string;
  readonly base: string;
  readonly workerData: unknown;
}

/** What rank 0 says to a rank. `module` is below the folder of all sources, which may lie elsewhere on another machine. */
type Request =
  | { readonly id: number; readonly start: { readonly module: string; readonly base: string; readonly workerData: unknown } }
  | { readonly id: number; readonly message: unknown }
  | { readonly done: true };

/** What a rank says of a thread. */
interface Reply {
  readonly id: number;
  readonly event: 'message' | 'error' | 'exit';
  readonly value?: unknown;
}

/** Of the error of a thread on another rank. */
interface Fault {
  readonly message: string;
  readonly bad: boolean;
}

const SOURCES = new URL('../', import.meta.url).href;

/** Rank 0's side. */
export class RankThreads {
  private readonly listeners = new Map<number, Map<string, (value: never) => void>>();
  private readonly end = new AbortController();
  private readonly listening: Promise<void>;
  private opened = 0;

  constructor(private readonly ranks: Ranks) {
    this.listening = this.listen();
  }

  /** How many threads were started on other ranks. */
  get count(): number {
    return this.opened;
  }

  /** Threads in all, where each process has `each`. */
  width(each: number): number {
    return this.ranks.size * each;
  }

  /** Starts the thread of place `index` in a pool: they go round the ranks, this one first. */
  spawn(index: number, { module, base, workerData }: ThreadStart): PoolThread {
    const rank = index % this.ranks.size;
    if (rank === 0) return spawnWorker(module, base, { workerData });
    const id = this.opened++;
    const listeners = new Map<string, (value: never) => void>();
    this.listeners.set(id, listeners);
    const fail = (error: unknown): void => listeners.get('error')?.(error as never);
    const say = (request: Request): void => void this.ranks.send(rank, pack(request)).catch(fail);
    say({ id, start: { module, base: base.slice(SOURCES.length), workerData } });
    return {
      postMessage: message => say({ id, message }),
      on: (event: string, listen: (value: never) => void) => listeners.set(event, listen),
    };
  }

  private async listen(): Promise<void> {
    try {
      for (;;) {
        const { from, bytes } = await this.ranks.receive(this.end.signal);
        const { id, event, value } = unpack(bytes) as Reply;
        const listeners = this.listeners.get(id);
        if (event !== 'error') listeners?.get(event)?.(value as never);
        else {
          const { message, bad } = value as Fault;
          listeners?.get('error')?.((bad ? new NarrowsError(message) : new Error(`Rank ${from}: ${message}`)) as never);
        }
      }
    } catch (error) {
      if (this.end.signal.aborted) return;
      for (const listeners of this.listeners.values()) listeners.get('error')?.(error as never);
    }
  }

  /** Lets the other ranks go. */
  async close(): Promise<void> {
    this.end.abort(new Error('closed'));
    await this.listening;
    for (let rank = 1; rank < this.ranks.size; rank++) await this.ranks.send(rank, pack({ done: true } satisfies Request));
  }
}

/** The other ranks' side: runs what rank 0 asks for until it lets this one go. */
export async function serveThreads(ranks: Ranks): Promise<void> {
  const threads = new Map<number, PoolThread>();
  const say = (reply: Reply): void => void ranks.send(0, pack(reply));
  for (;;) {
    const request = unpack((await ranks.receive()).bytes) as Request;
    if ('done' in request) return;
    const { id } = request;
    if ('message' in request) {
      threads.get(id)?.postMessage(request.message);
      continue;
    }
    const { module, base, workerData } = request.start;
    const thread: PoolThread = spawnWorker(module, new URL(base, SOURCES).href, { workerData });
    threads.set(id, thread);
    thread.on('message', (value: unknown) => say({ id, event: 'message', value }));
    thread.on('error', error =>
      say({ id, event: 'error', value: { message: messageOf(error), bad: error instanceof NarrowsError } satisfies Fault }),
    );
    thread.on('exit', () => {
      threads.delete(id);
      say({ id, event: 'exit' });
    });
  }
}

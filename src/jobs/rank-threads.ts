/**
 * @file Worker threads in other processes: rank 0 starts them and talks to them as to threads of its own, the other ranks pass messages on.
 * So a pool hands out tasks by demand over any number of machines, and only rank 0 holds the store.
 */
import { ignoreLost, RanksLost } from '../node/mpi/deaths.ts';
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
  /** The process of the thread died; what the thread had in hand is to be done by another. */
  on(event: 'lost', listen: () => void): unknown;
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
  private readonly threads = new Map<number, { readonly rank: number; readonly listeners: Map<string, (value: never) => void> }>();
  private readonly lost = new Set<number>();
  private readonly end = new AbortController();
  private readonly listening: Promise<void>;
  private opened = 0;

  /** @param onLost hears of a rank that died while the others go on */
  constructor(
    private readonly ranks: Ranks,
    private readonly onLost: (rank: number) => void = () => {},
  ) {
    this.listening = this.listen();
  }

  private get living(): number[] {
    return Array.from({ length: this.ranks.size }, (_, rank) => rank).filter(rank => !this.lost.has(rank));
  }

  /** How many threads were started on other ranks. */
  get count(): number {
    return this.opened;
  }

  /** Threads in all, where each process has `each`. */
  width(each: number): number {
    return this.living.length * each;
  }

  /** Starts the thread of place `index` in a pool: they go round the ranks, this one first. */
  spawn(index: number, { module, base, workerData }: ThreadStart): PoolThread {
    const { living } = this;
    const rank = living[index % living.length];
    if (rank === 0) return spawnWorker(module, base, { workerData });
    const id = this.opened++;
    const listeners = new Map<string, (value: never) => void>();
    this.threads.set(id, { rank, listeners });
    const fail = (error: unknown): void => {
      if (error instanceof RanksLost) this.bury(error.lost);
      else listeners.get('error')?.(error as never);
    };
    const say = (request: Request): void => void this.ranks.send(rank, pack(request)).catch(fail);
    say({ id, start: { module, base: base.slice(SOURCES.length), workerData } });
    return {
      postMessage: message => say({ id, message }),
      on: (event: string, listen: (value: never) => void) => listeners.set(event, listen),
    };
  }

  private bury(ranks: readonly number[]): void {
    const fresh = ranks.filter(rank => !this.lost.has(rank));
    for (const rank of fresh) this.lost.add(rank);
    for (const rank of fresh) {
      this.onLost(rank);
      for (const [id, thread] of this.threads) {
        if (thread.rank !== rank) continue;
        // What it sent before its death and is still under way goes nowhere: the task is done again.
        this.threads.delete(id);
        thread.listeners.get('lost')?.(undefined as never);
      }
    }
  }

  private async listen(): Promise<void> {
    while (!this.end.signal.aborted)
      try {
        const { from, bytes } = await this.ranks.receive(this.end.signal);
        const { id, event, value } = unpack(bytes) as Reply;
        const listeners = this.threads.get(id)?.listeners;
        if (event !== 'error') listeners?.get(event)?.(value as never);
        else {
          const { message, bad } = value as Fault;
          listeners?.get('error')?.((bad ? new NarrowsError(message) : new Error(`Rank ${from}: ${message}`)) as never);
        }
      } catch (error) {
        if (this.end.signal.aborted) return;
        if (error instanceof RanksLost) {
          this.bury(error.lost);
          continue;
        }
        for (const { listeners } of this.threads.values()) listeners.get('error')?.(error as never);
        return;
      }
  }

  /** Lets the other ranks go. */
  async close(): Promise<void> {
    this.end.abort(new Error('closed'));
    await this.listening;
    for (const rank of this.living.slice(1)) await this.ranks.send(rank, pack({ done: true } satisfies Request)).catch(ignoreLost);
  }
}

/** The other ranks' side: runs what rank 0 asks for until it lets this one go. */
export async function serveThreads(ranks: Ranks): Promise<void> {
  const threads = new Map<number, PoolThread>();
  // Of a death of rank 0 this rank hears where it waits for its next message.
  const say = (reply: Reply): void => void ranks.send(0, pack(reply)).catch(ignoreLost);
  for (;;) {
    const message = await ranks.receive().catch(error => {
      // The others can die: this rank works for rank 0.
      if (error instanceof RanksLost && !error.lost.includes(0)) return undefined;
      throw error;
    });
    if (!message) continue;
    const request = unpack(message.bytes) as Request;
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

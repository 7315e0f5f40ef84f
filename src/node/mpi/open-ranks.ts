/** @file Processes that work together, through Open MPI. */
import { NarrowsError } from '../../system/errors.ts';
import { Deaths, ignoreLost, RanksLost } from './deaths.ts';
import { type Launched, launchedBy } from './environment.ts';
import { ANY_SOURCE, type MpiLibrary, openMpiLibrary, STATUS_WORDS, THREAD_MULTIPLE, THREAD_SERIALIZED } from './library.ts';
import { orderedAllReduce } from './ordered-sum.ts';
import type { Message, Ranks } from './ranks.ts';

/** MPI counts in int. */
const LARGEST = 2 ** 31 - 1;
/** Turns of the event loop that a wait looks again at once, and milliseconds between two looks after that. */
const EAGER = 200;
const REST = 1;
/** Looks, a millisecond apart, for who died where another rank knows already. */
const HEARSAY = 2_000;
const TAG = 7;

const pause = (tries: number): Promise<void> =>
  new Promise(resolve => {
    if (tries < EAGER) setImmediate(resolve);
    else setTimeout(resolve, REST);
  });

/** What `work` gives, or false where that takes longer than so many milliseconds. */
const inTime = (work: Promise<boolean>, milliseconds: number): Promise<boolean> =>
  Promise.race([work, new Promise<false>(no => setTimeout(no, Math.min(milliseconds, LARGEST), false))]);

const bytesOf = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** Where pieces of these lengths begin one behind the other, and their length together. @throws RangeError beyond MPI's int */
function layOut(lengths: ArrayLike<number>): { offsets: Int32Array; total: number } {
  const offsets = new Int32Array(lengths.length);
  let total = 0;
  for (let i = 0; i < lengths.length; i++) {
    offsets[i] = total;
    total += lengths[i];
    if (total > LARGEST) throw new RangeError(`A message of ${total} bytes is more than MPI counts; send it in pieces.`);
  }
  return { offsets, total };
}

/** Parts one behind the other: where they stand so already, they are not copied. */
function joined(parts: readonly Uint8Array[], { offsets, total }: ReturnType<typeof layOut>): Uint8Array {
  const [{ buffer, byteOffset }] = parts;
  if (parts.every((part, r) => part.buffer === buffer && part.byteOffset === byteOffset + offsets[r]))
    return new Uint8Array(buffer, byteOffset, total);
  const out = new Uint8Array(total);
  for (const [r, part] of parts.entries()) out.set(part, offsets[r]);
  return out;
}

class MpiRanks implements Ranks {
  /** After `close`: MPI may not be called any more. */
  private ended = false;
  /** Calls of MPI, one after the other: with MPI_THREAD_SERIALIZED two must never be under way. */
  private last: Promise<unknown> = Promise.resolve();
  private readonly deaths: Deaths;

  constructor(
    private readonly mpi: MpiLibrary,
    /** A second communicator, on which no other message is ever under way: for `finish`. */
    private ends: unknown,
    readonly rank: number,
    readonly size: number,
  ) {
    this.deaths = new Deaths(mpi, mpi.world);
  }

  get lost(): readonly number[] {
    return this.ended ? [] : this.deaths.look();
  }

  /** @throws RanksLost where a rank died; NarrowsError with MPI's own words */
  private check(code: number): void {
    if (code === 0) return;
    if (this.deaths.isDeath(code)) throw new RanksLost(this.deaths.look());
    const text = Buffer.alloc(512);
    const length = new Int32Array(1);
    this.mpi.call.Error_string(code, text, length);
    throw new NarrowsError(`MPI reports to rank ${this.rank}: ${text.toString('utf8', 0, length[0])}.`);
  }

  private inTurn<T>(work: () => Promise<T> | T): Promise<T> {
    const done = this.last.then(work);
    this.last = done.catch(() => {});
    return done;
  }

  /** Runs a function of MPI in another thread. */
  private background(name: keyof MpiLibrary['call'], ...args: unknown[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.mpi.call[name].async(...args, (error: unknown, code: number) => {
        try {
          if (error) throw error;
          this.check(code);
          resolve();
        } catch (reason) {
          reject(reason);
        }
      });
    });
  }

  private isDone(request: BigUint64Array): boolean {
    const flag = new Int32Array(1);
    this.check(this.mpi.call.Test(request, flag, null));
    return flag[0] !== 0;
  }

  /** Waits at rest until all ranks are here: MPI's own waits keep a core busy. */
  private async meet(world = this.mpi.world, until = Number.POSITIVE_INFINITY): Promise<boolean> {
    const request = new BigUint64Array(1);
    this.check(this.mpi.call.Ibarrier(world, request));
    for (let tries = 0; !this.isDone(request); tries++) {
      if (performance.now() > until) return false;
      await pause(tries);
    }
    return true;
  }

  /** A collective call, once all are here. @throws NarrowsError after `close`: MPI itself would end the whole job */
  private together<T>(work: () => Promise<T> | T): Promise<T> {
    return this.inTurn(async () => {
      if (this.ended) throw new NarrowsError(`Rank ${this.rank} calls the others, but the ranks have ended.`);
      try {
        await this.meet();
        return await work();
      } catch (error) {
        const { faults, world } = this.mpi;
        if (!faults) throw error;
        // Another rank may have heard of a death first, and some calls only say "other error" of it.
        const lost = await this.hearOfDeaths();
        if (lost.length === 0) throw error;
        // Others may wait in this call for one that left it: so all leave it.
        faults.Comm_revoke(world);
        throw new RanksLost(lost);
      }
    });
  }

  private async hearOfDeaths(): Promise<readonly number[]> {
    const [flag, status] = [new Int32Array(1), new Int32Array(STATUS_WORDS)];
    for (let tries = 0; tries < EAGER + HEARSAY && this.deaths.look().length === 0; tries++) {
      // News come in with any call that makes progress.
      this.mpi.call.Iprobe(ANY_SOURCE, TAG, this.ends, flag, status);
      await pause(tries);
    }
    return this.deaths.look();
  }

  barrier(): Promise<void> {
    return this.together(() => {});
  }

  broadcast(data: ArrayBufferView, root = 0): Promise<void> {
    const { byte, world } = this.mpi;
    const bytes = bytesOf(data);
    return this.together(async () => {
      for (let at = 0; at < bytes.length; at += LARGEST) {
        const piece = bytes.subarray(at, at + LARGEST);
        await this.background('Bcast', piece, piece.length, byte, root, world);
      }
    });
  }

  allGather(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>[]> {
    return this.together(() => this.gather(bytes, this.mpi.world));
  }

  private async gather(bytes: Uint8Array, world: unknown): Promise<Uint8Array<ArrayBuffer>[]> {
    const { byte } = this.mpi;
    const size = new Int32Array(1);
    this.check(this.mpi.call.Comm_size(world, size));
    const lengths = new Int32Array(size[0]);
    await this.background('Allgather', Int32Array.of(bytes.length), 4, byte, lengths, 4, byte, world);
    const { offsets, total } = layOut(lengths);
    const all = new Uint8Array(total);
    await this.background('Allgatherv', bytes, bytes.length, byte, all, lengths, offsets, byte, world);
    return Array.from(lengths, (length, r) => all.subarray(offsets[r], offsets[r] + length));
  }

  async finish(word: Uint8Array, patience: number): Promise<Uint8Array<ArrayBuffer>[] | undefined> {
    if (this.ended) throw new NarrowsError(`Rank ${this.rank} calls the others, but the ranks have ended.`);
    const until = performance.now() + patience;
    // What is under way may wait for ranks that will not come.
    const free = await inTime(
      this.last.then(() => true),
      patience,
    );
    // A barrier that waits for the dead fails too, but Open MPI writes about it on stderr.
    if (free && this.deaths.look().length > 0 && !(await this.goOnWithout(until))) return undefined;
    while (free)
      try {
        return (await this.meet(this.ends, until)) ? await this.gather(word, this.ends) : undefined;
      } catch (error) {
        if (!(error instanceof RanksLost) || !(await this.goOnWithout(until))) throw error;
      }
    return undefined;
  }

  /** Makes the communicator of the ends anew of those who live. @returns whether they came in time */
  private async goOnWithout(until: number): Promise<boolean> {
    const { faults } = this.mpi;
    const left = new BigUint64Array(1);
    // Who waits for the dead on the old one hears of it, and comes here too.
    faults!.Comm_revoke(this.ends);
    const shrunk = new Promise<boolean>((resolve, reject) => {
      faults!.Comm_shrink.async(this.ends, left, (error: unknown, code: number) => (error ? reject(error) : resolve(code === 0)));
    });
    if (!(await inTime(shrunk, until - performance.now()))) return false;
    this.ends = left[0];
    return true;
  }

  exchange(parts: readonly Uint8Array[]): Promise<Uint8Array<ArrayBuffer>[]> {
    const { byte, world } = this.mpi;
    return this.together(async () => {
      const lengths = Int32Array.from(parts, part => part.length);
      const sent = layOut(lengths);
      const out = joined(parts, sent);
      const coming = new Int32Array(this.size);
      await this.background('Alltoall', lengths, 4, byte, coming, 4, byte, world);
      const { offsets, total } = layOut(coming);
      const all = new Uint8Array(total);
      await this.background('Alltoallv', out, lengths, sent.offsets, byte, all, coming, offsets, byte, world);
      return Array.from(coming, (length, r) => all.subarray(offsets[r], offsets[r] + length));
    });
  }

  allReduce(data: Float32Array | Float64Array): Promise<void> {
    return orderedAllReduce(this, data);
  }

  async send(to: number, bytes: Uint8Array): Promise<void> {
    layOut([bytes.length]);
    const request = new BigUint64Array(1);
    const { byte, world } = this.mpi;
    // Once all have met at their ends nobody reads any more, and any call of MPI would abort the whole job.
    await this.inTurn(() => this.ended || this.check(this.mpi.call.Isend(bytes, bytes.length, byte, to, TAG, world, request)));
    for (let tries = 0; !(await this.inTurn(() => this.ended || this.isDone(request))); tries++) await pause(tries);
  }

  async receive(signal?: AbortSignal): Promise<Message> {
    const { byte, world, call } = this.mpi;
    const flag = new Int32Array(1);
    const status = new Int32Array(STATUS_WORDS);
    for (let tries = 0; ; tries++) {
      signal?.throwIfAborted();
      const found = await this.inTurn(() => {
        if (this.ended) throw new NarrowsError(`Rank ${this.rank} waits for a message, but the ranks have ended.`);
        const code = call.Iprobe(ANY_SOURCE, TAG, world, flag, status);
        const died = code !== 0 && this.deaths.isDeath(code);
        if (died) this.deaths.look();
        else this.check(code);
        const lost = this.deaths.news();
        if (lost.length > 0) throw new RanksLost(lost);
        if (died || flag[0] === 0) return undefined;
        const count = new Int32Array(1);
        this.check(call.Get_count(status, byte, count));
        const bytes = new Uint8Array(count[0]);
        const from = status[0];
        this.check(call.Recv(bytes, bytes.length, byte, from, TAG, world, null));
        return { from, bytes };
      });
      if (found) return found;
      await pause(tries);
    }
  }

  abort(code: number): never {
    this.mpi.call.Abort(this.mpi.world, code);
    process.exit(code);
  }

  close(): Promise<void> {
    return this.inTurn(async () => {
      if (this.ended) return;
      if (this.deaths.look().length === 0) await this.meet().catch(ignoreLost);
      this.ended = true;
      // MPI_Finalize of Open MPI 5.0 may wait for ever for one that died; leaving without it is taken as a good end.
      if (this.deaths.look().length === 0) this.check(this.mpi.call.Finalize());
    });
  }
}

/** @throws NarrowsError where MPI knows another number of processes than the launcher started */
function checkSize({ launcher, size: told }: Launched, size: number): void {
  if (told === undefined || told === size) return;
  throw new NarrowsError(
    `${launcher} started ${told} processes, but to Open MPI this one belongs to ${size}: use the mpirun of the same Open MPI, or srun --mpi=pmix.`,
  );
}

/**
 * Joins the other processes of an `mpirun` or `srun --mpi=pmix`. Call it once, at the start, and `close` at the end.
 * @returns undefined where this process was started alone, and for `-n 1`
 * @throws NarrowsError where Open MPI or koffi is missing, or is another MPI than the launcher's
 */
export async function openRanks(env: Readonly<Record<string, string | undefined>> = process.env): Promise<Ranks | undefined> {
  const launched = launchedBy(env);
  if (!launched || launched.size === 1) return undefined;
  const mpi = await openMpiLibrary(env.NARROWS_MPI);
  const { call, world } = mpi;
  const provided = new Int32Array(1);
  if (call.Init_thread(null, null, THREAD_MULTIPLE, provided) !== 0)
    throw new NarrowsError('Open MPI cannot be started (MPI_Init_thread).');
  call.Comm_set_errhandler(world, mpi.errorsReturn);
  const [rank, size] = [new Int32Array(1), new Int32Array(1)];
  call.Comm_rank(world, rank);
  call.Comm_size(world, size);
  checkSize(launched, size[0]);
  if (provided[0] < THREAD_SERIALIZED)
    throw new NarrowsError('This Open MPI was built without threads (MPI_THREAD_SERIALIZED); install one that has them.');
  if (size[0] === 1) {
    call.Finalize();
    return undefined;
  }
  const ends = new BigUint64Array(1);
  call.Comm_dup(world, ends);
  return new MpiRanks(mpi, ends[0], rank[0], size[0]);
}

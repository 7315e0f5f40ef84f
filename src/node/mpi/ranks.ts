/** @file What processes that work together can do; `openRanks` makes it of Open MPI. */

/** A message of another rank. */
export interface Message {
  readonly from: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * The processes of a run. All but `send` and `receive` are collective: every rank calls them in the same order. None blocks the event loop;
 * ranks that wait for another one do so at rest. Where a rank died and the launcher lets the others live (`mpirun --with-ft ulfm`), what needs it
 * throws `RanksLost`.
 */
export interface Ranks {
  /** 0 to size − 1. */
  readonly rank: number;
  readonly size: number;
  /** Ranks of which this one knows that they died. */
  readonly lost: readonly number[];
  barrier(): Promise<void>;
  /** Fills `data` with that of rank `root`. */
  broadcast(data: ArrayBufferView, root?: number): Promise<void>;
  /** Every rank's bytes, by rank. */
  allGather(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>[]>;
  /** Sends `parts[r]` to rank r. @returns what the ranks sent to this one, by rank */
  exchange(parts: readonly Uint8Array[]): Promise<Uint8Array<ArrayBuffer>[]>;
  /** The sum over ranks, in place. It is taken in the order of the ranks: its bits do not depend on how MPI routes messages. */
  allReduce(data: Float32Array | Float64Array): Promise<void>;
  send(to: number, bytes: Uint8Array): Promise<void>;
  /**
   * The next message to this rank. @throws the signal's reason when aborted; RanksLost once for each rank that died, after which it can be
   * called again
   */
  receive(signal?: AbortSignal): Promise<Message>;
  /**
   * Meets the others at their ends and tells them how this one ended. @param patience milliseconds to wait for them
   * @returns what each that lives said, in the order of the ranks; undefined where some did not come: they wait for something that will not be
   */
  finish(word: Uint8Array, patience: number): Promise<Uint8Array<ArrayBuffer>[] | undefined>;
  /** Ends all processes of the run at once. */
  abort(code: number): never;
  /** Waits for the others and ends MPI; nothing can be called afterwards. */
  close(): Promise<void>;
}

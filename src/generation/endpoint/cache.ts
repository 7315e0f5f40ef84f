/** @file Replies of an endpoint on the disk: each is there before it counts, and none is ever asked for twice. */
import { CellStore } from '../../jobs/store.ts';
import { createHash } from '../../node/hash.ts';
import { lockOutput, type OutputLock } from '../../node/output-lock.ts';
import { type ModelReply, replySchema } from './reply.ts';
import type { RequestBody } from './request.ts';

/**
 * Name of a reply: a hash of all that decides about it.
 * @param repeat number of the same question asked again, 0 for the first
 */
export function replyKey(body: RequestBody, repeat: number): string {
  const { model, messages, temperature, max_tokens, seed, top_p, stop } = body;
  const decides = [model, messages, temperature ?? null, max_tokens ?? null, seed ?? null, top_p ?? null, stop ?? null, repeat];
  return createHash('sha256').update(JSON.stringify(decides)).digest('hex').slice(0, 40);
}

/** A file of replies: lines with checksums that are only ever added to (see `CellStore`). One process writes it. */
export class ReplyCache implements AsyncDisposable {
  private constructor(
    private readonly store: CellStore<ModelReply>,
    private readonly lock: OutputLock,
  ) {}

  /** @throws NarrowsError where another process writes it, it holds something else, or cannot be written */
  static async open(path: string, onWarning?: (message: string) => void): Promise<ReplyCache> {
    const lock = await lockOutput(path, 'file');
    if (lock.takenOver) onWarning?.(lock.takenOver);
    try {
      const options = { kind: 'endpoint replies', version: 1, schema: replySchema, device: 'cpu', onWarning };
      return new ReplyCache(await CellStore.open(path, options), lock);
    } catch (error) {
      await lock.release().catch(() => {});
      throw error;
    }
  }

  /** A reply that was kept. */
  get(key: string): ModelReply | undefined {
    return this.store.result(key);
  }

  /** Keeps a reply; it is on the disk when the promise is fulfilled. */
  put(key: string, reply: ModelReply): Promise<void> {
    return this.store.put(key, { result: reply });
  }

  /** How many replies are kept. */
  get size(): number {
    return this.store.size;
  }

  /** Closes the file and gives the lock back. */
  async close(): Promise<void> {
    await this.store.close();
    await this.lock.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

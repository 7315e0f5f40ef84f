/** @file Values kept by key up to a number of bytes; the one that was asked for longest ago goes first. */
import { PromiseCache } from '../../system/promise-cache.ts';

/** A cache bounded by the size of what it holds. */
export class KeptBytes<V> {
  private readonly promises = new PromiseCache<V>();
  /** In the order of their last use. */
  private readonly sizes = new Map<string, number>();
  private bytes = 0;

  /** @param limit bytes @param sizeOf a value, in bytes */
  constructor(
    private readonly limit: number,
    private readonly sizeOf: (value: V) => number,
  ) {}

  /** The value under a key. @throws what `make` throws */
  async get(key: string, make: () => Promise<V>): Promise<V> {
    const value = await this.promises.get(key, make);
    const size = this.sizes.get(key) ?? this.sizeOf(value);
    this.bytes += this.sizes.has(key) ? 0 : size;
    this.sizes.delete(key);
    this.sizes.set(key, size);
    for (const [old, bytes] of this.sizes) {
      if (this.bytes <= this.limit || old === key) break;
      this.sizes.delete(old);
      this.promises.delete(old);
      this.bytes -= bytes;
    }
    return value;
  }

  /** How many values are kept. */
  get size(): number {
    return this.sizes.size;
  }
}

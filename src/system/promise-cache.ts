/** @file Values that are made at their first use and then kept, by key. Everything in Narrows that remembers a promise does it here. */

/**
 * Callers that ask while a value is being made share it. A failure goes to those that waited for it and is not kept: the next caller tries
 * again.
 */
export class PromiseCache<V, K = string> {
  private readonly entries = new Map<K, Promise<V>>();

  /** The value under a key. @param make called where there is none @throws what `make` throws */
  get(key: K, make: () => Promise<V>): Promise<V> {
    const known = this.entries.get(key);
    if (known) return known;
    // `make` may throw before it gives a promise.
    const made = (async () => make())();
    this.entries.set(key, made);
    made.catch(() => {
      if (this.entries.get(key) === made) this.entries.delete(key);
    });
    return made;
  }

  /** Forgets a value. */
  delete(key: K): void {
    this.entries.delete(key);
  }

  /** The values that are there, those being made included; failures are left out. */
  async values(): Promise<V[]> {
    const settled = await Promise.allSettled(this.entries.values());
    return settled.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []));
  }

  /** Forgets all values. @returns them, as `values` */
  clear(): Promise<V[]> {
    const all = this.values();
    this.entries.clear();
    return all;
  }
}

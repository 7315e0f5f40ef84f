/** @file Compiled graphs by key: compiled at their first use, shared, closed together. */
import { PromiseCache } from '../system/promise-cache.ts';

/** Something that holds native memory. */
export interface Releasable {
  release(): Promise<void>;
}

/** What a key may name. */
export type KeyPart = string | number | boolean | null | undefined | readonly KeyPart[] | { readonly [name: string]: KeyPart };

/** A key of what a graph computes and all that it depends on; equal parts give equal keys, whatever their order. */
export function cacheKey(what: string, parts: Readonly<Record<string, KeyPart>>): string {
  const ordered = (part: KeyPart): KeyPart => {
    if (part === null || typeof part !== 'object') return part;
    if (Array.isArray(part)) return part.map(ordered);
    return Object.entries(part)
      .filter(([, value]) => value !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]): KeyPart => [name, ordered(value)]);
  };
  return JSON.stringify([what, ordered(parts)]);
}

/** Keeps what is compiled until `release`. A failed compilation is not kept: the next call tries again. */
export class GraphCache implements AsyncDisposable {
  private readonly graphs = new PromiseCache<Releasable>();

  /**
   * What stands under a key. @param key names everything that the result of `build` depends on (see `cacheKey`)
   * @throws what `build` throws
   */
  readonly keep = <T extends Releasable>(key: string, build: () => Promise<T>): Promise<T> =>
    this.graphs.get(key, build) as unknown as Promise<T>;

  /** Closes all that was kept, what is being compiled included. The cache may be used again. */
  async release(): Promise<void> {
    for (const graph of await this.graphs.clear()) await graph.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}

/** Graph caches of several groups (input sizes), of which the last used few are kept: each session holds as much memory as its input asks. */
export class GraphCachePool implements AsyncDisposable {
  /** The least recently used first. */
  private readonly groups = new Map<string, { readonly cache: GraphCache; users: number }>();

  /** @param most groups that are kept; one that is in use is never closed */
  constructor(private readonly most = 4) {}

  /** Runs `work` with the cache of a group, then closes those beyond `most`. @throws what `work` throws */
  async use<T>(group: string, work: (graphs: GraphCache) => Promise<T>): Promise<T> {
    const entry = this.groups.get(group) ?? { cache: new GraphCache(), users: 0 };
    this.groups.delete(group);
    this.groups.set(group, entry);
    entry.users++;
    try {
      return await work(entry.cache);
    } finally {
      entry.users--;
      await this.trim();
    }
  }

  private async trim(): Promise<void> {
    const idle = [...this.groups].filter(([, { users }]) => users === 0).slice(0, Math.max(0, this.groups.size - this.most));
    for (const [group] of idle) this.groups.delete(group);
    for (const [, { cache }] of idle) await cache.release();
  }

  /** Closes all groups. */
  async release(): Promise<void> {
    const all = [...this.groups.values()];
    this.groups.clear();
    for (const { cache } of all) await cache.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}

/** As `GraphCache.keep`. */
export type Keep = GraphCache['keep'];

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

/** Bytes of the groups that are kept for later, by default: the largest size of a small model, or a few usual ones. */
const KEPT_BYTES = 512 * 2 ** 20;

interface Group {
  readonly cache: GraphCache;
  users: number;
  bytes: number;
}

/**
 * Graph caches of several groups (input sizes), of which the last used few are kept: a session never gives back the memory that its input
 * asked for.
 */
export class GraphCachePool implements AsyncDisposable {
  /** The least recently used first. */
  private readonly groups = new Map<string, Group>();

  /** @param most groups and @param mostBytes of them that are kept; one that is in use is never closed */
  constructor(
    private readonly most = 4,
    private readonly mostBytes = KEPT_BYTES,
  ) {}

  /**
   * Runs `work` with the cache of a group. Others that are too many with it are closed before. @param bytes that its sessions hold, about
   * @throws what `work` throws
   */
  async use<T>(group: string, work: (graphs: GraphCache) => Promise<T>, bytes = 0): Promise<T> {
    const entry = this.groups.get(group) ?? { cache: new GraphCache(), users: 0, bytes };
    entry.bytes = Math.max(entry.bytes, bytes);
    this.groups.delete(group);
    this.groups.set(group, entry);
    entry.users++;
    try {
      await this.trim();
      return await work(entry.cache);
    } finally {
      entry.users--;
      await this.trim();
    }
  }

  /** Closes the least recently used that are idle; never the last used of all, nor for its bytes the last that has any. */
  private async trim(): Promise<void> {
    const closed: GraphCache[] = [];
    let bytes = [...this.groups.values()].reduce((sum, entry) => sum + entry.bytes, 0);
    const heavy = [...this.groups.values()].findLast(entry => entry.bytes > 0);
    for (const [group, entry] of [...this.groups].slice(0, -1)) {
      const many = this.groups.size > this.most;
      if (!many && bytes <= this.mostBytes) break;
      if (entry.users > 0 || (!many && (entry === heavy || entry.bytes === 0))) continue;
      this.groups.delete(group);
      bytes -= entry.bytes;
      closed.push(entry.cache);
    }
    for (const cache of closed) await cache.release();
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

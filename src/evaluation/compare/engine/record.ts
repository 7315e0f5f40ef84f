/**
 * @file The record of one pair in the cache: maps by method and seed, metrics' values by map. A record is a file, written whole or not at
 * all, named by everything that determines the pair; methods and metrics are named within it, so a new one adds to it.
 */
import { readFile } from '../../../node/disk.ts';
import { writeFileAtomic } from '../../../node/files.ts';
import { join } from '../../../node/paths.ts';

/** A map as it is kept. */
export interface StoredMap {
  /** float32 values of the players, little-endian, base64. */
  readonly map: string;
  /** Work and time per map, beyond the encoding of the pair. */
  readonly forward: number;
  readonly backward: number;
  readonly seconds: number;
}

/** Mean cosines as players come and go, best first; from no change to all changed. */
export interface Curves {
  readonly insertion: readonly number[];
  readonly deletion: readonly number[];
}

interface MethodRecord {
  /** By seed. */
  readonly maps: Record<string, StoredMap>;
  /** By metric and seed; null stands for NaN. */
  readonly values: Record<string, Record<string, number | null>>;
  curves?: Curves;
  /** Why there is no map; tried again by the next run. */
  failure?: string;
}

interface RecordFile {
  readonly schemaVersion: 1;
  readonly id: string;
  /** Cosine of picture and caption. */
  cosine?: number;
  readonly methods: Record<string, MethodRecord>;
  /** Seconds that each metric took on this pair, over all maps, and for how many. */
  readonly metricSeconds: Record<string, [seconds: number, maps: number]>;
}

/** One pair's record. */
export class PairRecord {
  private changed = false;

  private constructor(
    private readonly path: string,
    private readonly file: RecordFile,
  ) {}

  /** The record in the cache, or an empty one; a file that cannot be read counts as none. */
  static async open(directory: string, key: string, id: string): Promise<PairRecord> {
    const path = join(directory, 'cache', key.slice(0, 2), `${key}.json`);
    const found = await readFile(path, 'utf8')
      .then(text => JSON.parse(text) as RecordFile)
      .catch(() => undefined);
    return new PairRecord(path, found?.schemaVersion === 1 ? found : { schemaVersion: 1, id, methods: {}, metricSeconds: {} });
  }

  /** Writes what is new. */
  async save(): Promise<void> {
    if (!this.changed) return;
    this.changed = false;
    await writeFileAtomic(this.path, JSON.stringify(this.file));
  }

  get cosine(): number | undefined {
    return this.file.cosine;
  }

  set cosine(value: number) {
    if (this.file.cosine === value) return;
    this.file.cosine = value;
    this.changed = true;
  }

  hasMap(method: string, seed: number): boolean {
    return this.file.methods[method]?.maps[seed] !== undefined;
  }

  map(method: string, seed: number): (Omit<StoredMap, 'map'> & { readonly map: Float32Array }) | undefined {
    const stored = this.file.methods[method]?.maps[seed];
    if (!stored) return undefined;
    const bytes = Buffer.from(stored.map, 'base64');
    return { ...stored, map: new Float32Array(new Uint8Array(bytes).buffer) };
  }

  /** Work and time of a map. */
  cost(method: string, seed: number): Omit<StoredMap, 'map'> | undefined {
    const stored = this.file.methods[method]?.maps[seed];
    return stored && { forward: stored.forward, backward: stored.backward, seconds: stored.seconds };
  }

  setMap(method: string, seed: number, map: Float32Array, cost: Omit<StoredMap, 'map'>): void {
    const own = this.method(method);
    own.maps[seed] = { map: Buffer.from(map.buffer, map.byteOffset, map.byteLength).toString('base64'), ...cost };
    delete own.failure;
  }

  /** NaN where a metric is not defined, undefined where it was not computed. */
  value(method: string, metric: string, seed: number): number | undefined {
    const value = this.file.methods[method]?.values[metric]?.[seed];
    return value === null ? Number.NaN : value;
  }

  setValue(method: string, metric: string, seed: number, value: number, seconds: number): void {
    const own = this.method(method).values;
    own[metric] = { ...own[metric], [seed]: Number.isFinite(value) ? value : null };
    const [sum, count] = this.file.metricSeconds[metric] ?? [0, 0];
    this.file.metricSeconds[metric] = [sum + seconds, count + 1];
  }

  /** Seconds that a metric took in all, and for how many maps. */
  metricSeconds(metric: string): readonly [number, number] {
    return this.file.metricSeconds[metric] ?? [0, 0];
  }

  curves(method: string): Curves | undefined {
    return this.file.methods[method]?.curves;
  }

  setCurves(method: string, curves: Curves): void {
    this.method(method).curves = curves;
  }

  failure(method: string): string | undefined {
    return this.file.methods[method]?.failure;
  }

  setFailure(method: string, reason: string): void {
    this.method(method).failure = reason;
  }

  private method(name: string): MethodRecord {
    this.changed = true;
    this.file.methods[name] ??= { maps: {}, values: {} };
    return this.file.methods[name];
  }
}

/** @file The cells of one pair: maps by method and seed, metrics' values by map. What a run adds goes to whoever keeps it. */
import type { Outcome } from '../../../jobs/cell.ts';
import { type CompareCell, type CompareCells, type Curves, cellKey, type StoredMap, type StoredValue } from './cells.ts';

/** Keeps a finished cell. */
export type KeepCell = (key: string, outcome: Outcome<CompareCell>) => Promise<void>;

/** One pair. Of what was computed in this run it knows at once, whether it is on the disk or not. */
export class PairRecord {
  private readonly fresh = new Map<string, Outcome<CompareCell>>();
  private readonly writing: Promise<void>[] = [];

  /** @param pair its key; @param cells of earlier runs; @param keep none where nothing is computed */
  constructor(
    readonly pair: string,
    private readonly cells: CompareCells,
    private readonly keep?: KeepCell,
  ) {}

  /** Waits until what is new has been kept. @throws NarrowsError where it cannot be */
  async save(): Promise<void> {
    await Promise.all(this.writing.splice(0));
  }

  private result<C extends CompareCell>(key: string): C | undefined {
    const fresh = this.fresh.get(key);
    if (fresh) return 'result' in fresh ? (fresh.result as C) : undefined;
    return this.cells.result(key) as C | undefined;
  }

  private reason(key: string): string | undefined {
    const fresh = this.fresh.get(key);
    return fresh ? ('failure' in fresh ? fresh.failure : undefined) : this.cells.failure(key);
  }

  private set(key: string, outcome: Outcome<CompareCell>): void {
    this.fresh.set(key, outcome);
    const written = this.keep?.(key, outcome);
    // Reported by `save`.
    written?.catch(() => {});
    if (written) this.writing.push(written);
  }

  get cosine(): number | undefined {
    return this.result<{ cosine: number }>(cellKey.cosine(this.pair))?.cosine;
  }

  set cosine(value: number) {
    if (Number.isFinite(value) && this.cosine !== value) this.set(cellKey.cosine(this.pair), { result: { cosine: value } });
  }

  hasMap(method: string, seed: number): boolean {
    return this.result(cellKey.map(this.pair, method, seed)) !== undefined;
  }

  map(method: string, seed: number): (Omit<StoredMap, 'map'> & { readonly map: Float32Array }) | undefined {
    const stored = this.result<StoredMap>(cellKey.map(this.pair, method, seed));
    if (!stored) return undefined;
    const bytes = Buffer.from(stored.map, 'base64');
    return { ...stored, map: new Float32Array(new Uint8Array(bytes).buffer) };
  }

  /** Work and time of a map. */
  cost(method: string, seed: number): Omit<StoredMap, 'map'> | undefined {
    const stored = this.result<StoredMap>(cellKey.map(this.pair, method, seed));
    if (!stored) return undefined;
    const { map: _, ...cost } = stored;
    return cost;
  }

  setMap(method: string, seed: number, map: Float32Array, cost: Omit<StoredMap, 'map'>): void {
    const base64 = Buffer.from(map.buffer, map.byteOffset, map.byteLength).toString('base64');
    const { forward, backward, seconds, cold, lead } = cost;
    this.set(cellKey.map(this.pair, method, seed), { result: { map: base64, forward, backward, seconds, cold, lead } });
  }

  /** Why there is no map of some seed; tried again by the next run. */
  failure(method: string, seeds: readonly number[]): string | undefined {
    return seeds.map(seed => this.reason(cellKey.map(this.pair, method, seed))).find(reason => reason !== undefined);
  }

  setFailure(method: string, seed: number, reason: string): void {
    this.set(cellKey.map(this.pair, method, seed), { failure: reason });
  }

  /** NaN where a metric is not defined, undefined where it was not computed. */
  value(method: string, metric: string, seed: number): number | undefined {
    const stored = this.result<StoredValue>(cellKey.value(this.pair, method, metric, seed));
    return stored && (stored.value ?? Number.NaN);
  }

  /** Seconds that a value took. */
  valueSeconds(method: string, metric: string, seed: number): number | undefined {
    return this.result<StoredValue>(cellKey.value(this.pair, method, metric, seed))?.seconds;
  }

  setValue(method: string, metric: string, seed: number, value: number, seconds: number): void {
    this.set(cellKey.value(this.pair, method, metric, seed), { result: { value: Number.isFinite(value) ? value : null, seconds } });
  }

  /** Why a metric could not be computed; tried again by the next run. */
  valueFailure(method: string, metric: string, seed: number): string | undefined {
    return this.reason(cellKey.value(this.pair, method, metric, seed));
  }

  setValueFailure(method: string, metric: string, seed: number, reason: string): void {
    this.set(cellKey.value(this.pair, method, metric, seed), { failure: reason });
  }

  curves(method: string): Curves | undefined {
    return this.result<Curves>(cellKey.curves(this.pair, method));
  }

  setCurves(method: string, curves: Curves): void {
    if ([...curves.insertion, ...curves.deletion].every(Number.isFinite)) this.set(cellKey.curves(this.pair, method), { result: curves });
    else this.setCurvesFailure(method, 'The curve has values that are not finite.');
  }

  setCurvesFailure(method: string, reason: string): void {
    this.set(cellKey.curves(this.pair, method), { failure: reason });
  }
}

/** @file Looks through the cache: which pairs are complete, and what their records say. */
import type { DualEncoder } from '../../../models/dual-encoder.ts';
import type { SampleSource } from '../data/sample.ts';
import {
  type CompareSpec,
  includes,
  judgedSeeds,
  type MethodSetting,
  type MetricSetting,
  methodSettings,
  metricSettings,
  seedsOf,
} from '../settings.ts';
import { type Judged, judges, servedBy } from './block.ts';
import { type Prepared, prepare } from './prepared.ts';
import { PairRecord } from './record.ts';
import { WatchedModel } from './watched-model.ts';

/** A pair with its record. */
export interface Surveyed extends Prepared {
  readonly index: number;
  readonly record: PairRecord;
  /** Position among the pairs of its group and modality. */
  readonly rank: number;
  /** Nothing is missing; a failure counts as an answer only where `failed` says so. */
  readonly complete: boolean;
  /** Labels of methods that failed on it. */
  readonly failed: readonly string[];
}

/**
 * Every sample in turn. Records are read one at a time and belong to the caller.
 * @throws NarrowsError for a sample that cannot be read, the signal's reason when aborted
 */
export async function* survey(spec: CompareSpec, source: SampleSource, model: DualEncoder, signal?: AbortSignal): AsyncGenerator<Surveyed> {
  const methods = methodSettings(spec.methods);
  const metrics = metricSettings(spec.metrics);
  await using watched = new WatchedModel(model);
  const ranks = new Map<string, number>();
  for (const [index, { group, modality, id }] of source.names.entries()) {
    signal?.throwIfAborted();
    const rank = ranks.get(`${group}\0${modality}`) ?? 0;
    ranks.set(`${group}\0${modality}`, rank + 1);
    const prepared = await prepare(watched, await source.read(index), spec.imageSize);
    const record = await PairRecord.open(spec.directory, prepared.key, id);
    const served = methods.filter(m => includes(m, rank) && servedBy(m, model, modality) === undefined);
    const failed = served.filter(m => record.failure(m.key) !== undefined);
    const complete = served.every(m => failed.includes(m) || isComplete({ ...prepared, rank, record }, m, metrics, spec));
    yield { ...prepared, index, record, rank, complete, failed: failed.map(m => m.label) };
  }
}

function isComplete(pair: Judged, method: MethodSetting, metrics: readonly MetricSetting[], spec: CompareSpec): boolean {
  return (
    seedsOf(spec, method).every(seed => pair.record.hasMap(method.key, seed)) &&
    metrics
      .filter(metric => judges(metric, method, pair, spec))
      .every(metric => judgedSeeds(metric, method, spec).every(seed => pair.record.value(method.key, metric.key, seed) !== undefined))
  );
}

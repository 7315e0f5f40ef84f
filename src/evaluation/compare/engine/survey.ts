/** @file Looks through the cells: which pairs are complete, and what their records say. */
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
import { type CompareCells, openCells } from './cells.ts';
import { type Prepared, prepare } from './prepared.ts';
import { PairRecord } from './record.ts';
import { WatchedModel } from './watched-model.ts';

/** A pair with its record. */
export interface Surveyed extends Prepared {
  readonly index: number;
  readonly record: PairRecord;
  /** Position among the pairs of its group and modality. */
  readonly rank: number;
  /** Nothing is missing, unless it failed. */
  readonly complete: boolean;
  /** Something is missing or failed: the next run has work here. */
  readonly open: boolean;
  /** Labels of methods that failed on it. */
  readonly failed: readonly string[];
}

/**
 * Every sample in turn. @param cells that are finished; those in the comparison's directory by default
 * @throws NarrowsError for a sample that cannot be read, the signal's reason when aborted
 */
export async function* survey(
  spec: CompareSpec,
  source: SampleSource,
  model: DualEncoder,
  signal?: AbortSignal,
  cells?: CompareCells,
): AsyncGenerator<Surveyed> {
  if (!cells) {
    await using store = await openCells(spec.directory, { readOnly: true });
    yield* survey(spec, source, model, signal, store);
    return;
  }
  const methods = methodSettings(spec.methods);
  const metrics = metricSettings(spec.metrics);
  await using watched = new WatchedModel(model);
  const ranks = new Map<string, number>();
  for (const [index, { group, modality }] of source.names.entries()) {
    signal?.throwIfAborted();
    const rank = ranks.get(`${group}\0${modality}`) ?? 0;
    ranks.set(`${group}\0${modality}`, rank + 1);
    const prepared = await prepare(watched, await source.read(index), spec.imageSize);
    const record = new PairRecord(prepared.key, cells);
    const served = methods.filter(m => includes(m, rank) && servedBy(m, model, modality) === undefined);
    const pair = { ...prepared, rank, record };
    const failed = served.filter(m => record.failure(m.key, seedsOf(spec, m)) !== undefined);
    const states = served.map(m => (failed.includes(m) ? 'failed' : stateOf(pair, m, metrics, spec)));
    yield {
      ...pair,
      index,
      complete: !states.includes('missing'),
      open: states.some(state => state !== 'there'),
      failed: failed.map(m => m.label),
    };
  }
}

/** Whether all of a method's maps and values are there; `failed` where those that are not could not be computed. */
function stateOf(
  { record, ...pair }: Judged,
  method: MethodSetting,
  metrics: readonly MetricSetting[],
  spec: CompareSpec,
): 'there' | 'failed' | 'missing' {
  if (!seedsOf(spec, method).every(seed => record.hasMap(method.key, seed))) return 'missing';
  const lacking = metrics
    .filter(metric => judges(metric, method, { ...pair, record }, spec))
    .flatMap(metric => judgedSeeds(metric, method, spec).map(seed => ({ metric, seed })))
    .filter(({ metric, seed }) => record.value(method.key, metric.key, seed) === undefined);
  if (lacking.length === 0) return 'there';
  const known = lacking.every(({ metric, seed }) => record.valueFailure(method.key, metric.key, seed) !== undefined);
  return known ? 'failed' : 'missing';
}

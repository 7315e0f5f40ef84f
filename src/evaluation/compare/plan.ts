/** @file The plan of a comparison: which pairs go together in a block, and the names of all their cells. Made of settings and data only. */
import type { Task } from '../../jobs/cell.ts';
import type { SampleName } from './data/sample.ts';
import type { PlannedBlock } from './engine/block-pool.ts';
import { blocksOf } from './engine/blocks.ts';
import { cellKey } from './engine/cells.ts';
import { type CompareSpec, methodSettings, metricSettings, seedsOf } from './settings.ts';

/** Names of all cells that a pair may have. */
export function pairCells(spec: CompareSpec, pair: string): string[] {
  const metrics = metricSettings(spec.metrics);
  const ofMethods = methodSettings(spec.methods).flatMap(method => [
    cellKey.curves(pair, method.key),
    ...seedsOf(spec, method).flatMap(seed => [
      cellKey.map(pair, method.key, seed),
      ...metrics.map(metric => cellKey.value(pair, method.key, metric.key, seed)),
    ]),
  ]);
  return [cellKey.cosine(pair), ...ofMethods];
}

/** A task per block. @param pairs keys of the samples, in their order */
export function planComparison(spec: CompareSpec, names: readonly SampleName[], pairs: readonly string[]): Task<PlannedBlock>[] {
  return blocksOf(names).map(indices => {
    const keys = (): string[] => indices.flatMap(i => pairCells(spec, pairs[i]));
    // Which of them a run computes is decided by what the methods cost: `survey` looks, not the names.
    return { input: { indices, keys }, keys: [], units: indices.length };
  });
}

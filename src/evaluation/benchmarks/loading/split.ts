/** @file The split or config of a set that a caller asks for. */
import { NarrowsError } from '../../../system/errors.ts';
import type { Benchmark } from '../benchmark.ts';

/** @throws NarrowsError naming the splits for one that the set does not have */
export function checkSplit({ title }: Pick<Benchmark, 'title'>, splits: readonly string[], wanted: string | undefined): void {
  if (wanted !== undefined && !splits.includes(wanted))
    throw new NarrowsError(`${title} has no split "${wanted}"; it has ${splits.join(', ')}.`, { kind: 'usage' });
}

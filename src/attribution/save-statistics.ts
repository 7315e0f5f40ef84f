/** @file Feature statistics by a path on disk: Node's side of feature-statistics.ts. */
import { writeSafetensors } from '../checkpoints/write.ts';
import { diskFiles } from '../node/disk-files.ts';
import { basename, dirname } from '../node/paths.ts';
import { floats, type Tensor } from '../tensor/tensor.ts';
import type { FeatureStatistics, StatisticsFile } from './feature-statistics.ts';

/** Statistics at a path, for `loadStatistics` and `M2IB`. */
export const statisticsAt = (path: string): StatisticsFile => ({ files: diskFiles(dirname(path)), file: basename(path) });

/** Writes statistics as safetensors. @throws NarrowsError when the file cannot be written */
export async function saveStatistics(path: string, statistics: FeatureStatistics): Promise<void> {
  const tensors: [string, Tensor][] = [...statistics].flatMap(([key, s]): [string, Tensor][] => [
    [`${key}.mean`, floats([s.mean.length], s.mean)],
    [`${key}.deviation`, floats([s.deviation.length], s.deviation)],
  ]);
  await writeSafetensors(path, tensors);
}

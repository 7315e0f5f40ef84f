/**
 * @file Mean and deviation per channel of every block's output over a data set, for `normalisation: 'dataset'` (IBA's estimator). Stored
 * as `feature_statistics.safetensors`: `image.3.mean`, `image.3.deviation`, `text.-1.mean`, … for the outputs of blocks from 0, -1 for
 * the embeddings.
 */

import { type ChannelStatistics, RunningStatistics } from '../bottleneck/statistics.ts';
import { openSafetensorsFrom, readFloats } from '../checkpoints/safetensors.ts';
import type { DualEncoder, Modality } from '../models/dual-encoder.ts';
import { NarrowsError } from '../system/errors.ts';
import { fileIn, isMissing, type ModelFiles } from '../system/model-files.ts';
import { lastLayer } from './layer.ts';
import { encodePairs, type Pair } from './pair.ts';
import { row } from './rows.ts';

/** File name next to a checkpoint's weights. */
export const STATISTICS_FILE = 'feature_statistics.safetensors';

/** By `MODALITY.BLOCK`. */
export type FeatureStatistics = ReadonlyMap<string, ChannelStatistics>;

/**
 * Fits the statistics of every place at which a gate can stand, the embeddings included. IBA takes 1 000 to 10 000 samples.
 * @param batches pairs of one image size, a batch at a time
 */
export async function featureStatistics(
  model: DualEncoder,
  batches: AsyncIterable<readonly Pair[]> | Iterable<readonly Pair[]>,
  onProgress?: (pairs: number) => void,
): Promise<FeatureStatistics> {
  const running = new Map<string, RunningStatistics>();
  let pairs = 0;
  for await (const batch of batches) {
    const last = { image: lastLayer(model.image), text: lastLayer(model.text) };
    for (let block = -1; block <= Math.max(last.image, last.text); block++) {
      const layers = { image: Math.min(block, last.image), text: Math.min(block, last.text) };
      const encoded = await encodePairs(model, batch, layers);
      for (const modality of ['image', 'text'] as const) {
        if (layers[modality] !== block) continue;
        const key = `${modality}.${block}`;
        const width = model[modality].width;
        const sums = running.get(key) ?? new RunningStatistics(width);
        running.set(key, sums);
        // Padding is no token of a caption.
        batch.forEach((_, p) => {
          const all = row(encoded[modality].hidden, p);
          sums.update(modality === 'text' ? all.subarray(0, encoded.text.batch.rows[p].ids.length * width) : all);
        });
      }
    }
    pairs += batch.length;
    onProgress?.(pairs);
  }
  return new Map([...running].map(([key, sums]) => [key, sums.result()]));
}

/** Where statistics stand. */
export interface StatisticsFile {
  readonly files: ModelFiles;
  readonly file: string;
}

/** Statistics of the gate's layers. @throws NarrowsError naming the file and what it lacks */
export async function loadStatistics(
  { files, file: name }: StatisticsFile,
  layers: Readonly<Record<Modality, number>>,
): Promise<Record<Modality, ChannelStatistics>> {
  const path = fileIn(files, name);
  const file = await openSafetensorsFrom(files, name).catch(error => {
    if (!isMissing(error)) throw error;
    throw new NarrowsError(
      `Normalisation "dataset" needs ${path}, which does not exist: fit it with featureStatistics and saveStatistics, or choose normalisation "sample".`,
      { cause: error },
    );
  });
  const read = async (name: string): Promise<Float32Array> => {
    const entry = file.tensors.get(name);
    if (!entry)
      throw new NarrowsError(`${path} has no "${name}"; fit the statistics again with this model, or choose normalisation "sample".`);
    return readFloats(entry);
  };
  const of = async (key: string): Promise<ChannelStatistics> => {
    const [mean, deviation] = [await read(`${key}.mean`), await read(`${key}.deviation`)];
    if (mean.length !== deviation.length || !mean.every(Number.isFinite) || !deviation.every(v => v > 0 && v < Number.POSITIVE_INFINITY))
      throw new NarrowsError(
        `"${key}" in ${path} is no mean and positive deviation per channel; fit the statistics again with this model.`,
      );
    return { mean, deviation };
  };
  return { image: await of(`image.${layers.image}`), text: await of(`text.${layers.text}`) };
}

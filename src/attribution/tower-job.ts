/** @file Pairs after the encoding, as a method sees them from one tower. */
import type { DualEncoder, Modality } from '../models/dual-encoder.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import type { TowerJob } from './method.ts';
import type { EncodedPairs } from './pair.ts';
import { row } from './rows.ts';
import { scoreFeatures, type Target } from './target.ts';

/** @param layer whose output `encoded` holds as hidden */
export function towerJob(model: DualEncoder, encoded: EncodedPairs, modality: Modality, layer: number, target: Target): TowerJob {
  const side = encoded[modality];
  const tower = model[modality];
  const [count, tokens] = side.hidden.shape;
  const captions = encoded.text.batch.rows;
  const text = modality === 'text';
  const patches = Array.from({ length: tokens - tower.prefixTokens }, (_, i) => tower.prefixTokens + i);
  return {
    modality,
    tower,
    inputs: side.inputs,
    layer,
    hidden: side.hidden,
    features: side.features,
    target,
    scores: Array.from({ length: count }, (_, p) => scoreFeatures(target, p, row(side.features, p))),
    tokens,
    lengths: captions.map(c => (text ? c.ids.length : tokens)),
    players: captions.map(c => (text ? c.tokens.flatMap((t, i) => (t.special ? [] : [i])) : patches)),
    ...(text ? {} : { grid: encoded.image.grid, size: (side.inputs.pixel_values as FloatTensor).shape.slice(2) as [number, number] }),
  };
}

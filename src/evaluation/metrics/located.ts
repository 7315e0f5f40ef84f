/** @file A map and its ground truth on one grid: images upsampled (bilinear) to the pixels of the view, captions word by word. */
import { upsampleBilinear } from '../../inputs/image/bilinear.ts';
import type { MetricEntry, MetricSample } from './metric.ts';
import { isConstant } from './ranking.ts';

/** Values and truth of the same length. */
export interface Located {
  readonly values: Float32Array;
  readonly truth: Uint8Array;
  /** Pixels of a row; the number of words for captions. */
  readonly width: number;
  /** How many are in the truth. */
  readonly inside: number;
}

/** Brings map and truth together. Both have been checked by `StreamingMetric`. */
export function located(sample: MetricSample): Located {
  const { map, grid, size, modality } = sample;
  const truth = sample.truth!;
  const inside = truth.reduce((sum, v) => sum + (v ? 1 : 0), 0);
  if (modality === 'text') return { values: map, truth, width: map.length, inside };
  // Interpolation rounds: it would make an order of a map that has none.
  const values = isConstant(map) ? new Float32Array(truth.length).fill(map[0]) : upsampleBilinear(map, grid!, size!);
  return { values, truth, width: size![1], inside };
}

/** What all localisation metrics have in common. */
export const localisationFacts = {
  category: 'localisation',
  modalities: ['image', 'text'],
  direction: 'higher',
  needs: ['truth'],
} as const satisfies Partial<MetricEntry>;

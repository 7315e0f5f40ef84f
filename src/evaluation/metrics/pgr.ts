/** @file FIxLIP's pointing-game recognition: positive mass inside and negative mass outside, over all mass. */
import { z } from 'zod';
import { localisationFacts, located } from './located.ts';
import type { MetricEntry } from './metric.ts';

/** NaN for a map of zeros. */
export const pgr: MetricEntry = {
  ...localisationFacts,
  name: 'pgr',
  title: 'Pointing-game recognition',
  unit: 'share of the mass',
  reading: 'The share of the absolute mass that stands where it should: positive on the named thing, negative off it.',
  source: 'Baniecki et al.: FIxLIP, NeurIPS 2025, pointing-game recognition',
  schema: z.strictObject({}),
  evaluate(sample) {
    const { values, truth } = located(sample);
    let [right, total] = [0, 0];
    for (let i = 0; i < values.length; i++) {
      total += Math.abs(values[i]);
      right += truth[i] ? Math.max(0, values[i]) : Math.max(0, -values[i]);
    }
    return total > 0 ? right / total : Number.NaN;
  },
};

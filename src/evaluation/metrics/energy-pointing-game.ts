/** @file The energy-based pointing game (Wang et al., Score-CAM, CVPR workshops 2020): the share of the map's positive mass on the named thing. */
import { z } from 'zod';
import { localisationFacts, located } from './located.ts';
import type { MetricEntry } from './metric.ts';

/** Share of the positive values that lies where `truth` is 1; NaN where none is positive. */
export function positiveShare(values: ArrayLike<number>, truth: ArrayLike<number>): number {
  let inside = 0;
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    if (!(values[i] > 0)) continue;
    total += values[i];
    if (truth[i]) inside += values[i];
  }
  return total > 0 ? inside / total : Number.NaN;
}

/** NaN where the map is nowhere positive: it says nothing of where the thing is. */
export const energyPointingGame: MetricEntry = {
  ...localisationFacts,
  name: 'energy-pointing-game',
  title: 'Energy pointing game',
  unit: 'share of the positive mass',
  reading: 'The share of the positive part of the map that lies on the named thing; a uniform map gets the share of the area.',
  source: 'Wang et al.: Score-CAM, CVPR workshops 2020, section 4.3',
  schema: z.strictObject({}),
  evaluate(sample) {
    const { values, truth } = located(sample);
    return positiveShare(values, truth);
  },
};

/** @file What a map cost: passes through a whole tower, seconds, memory. */
import { z } from 'zod';
import type { MetricEntry, MetricSample } from './metric.ts';

function cost(
  name: string,
  title: string,
  unit: string,
  reading: string,
  value: (of: NonNullable<MetricSample['cost']>) => number,
): MetricEntry {
  return {
    ...{ name, title, unit, reading, category: 'cost', direction: 'lower', needs: ['cost'] },
    modalities: ['image', 'text'],
    source: 'counted by the frame of methods',
    schema: z.strictObject({}),
    evaluate: sample => value(sample.cost!),
  };
}

/** Forward passes. */
export const forwardPasses = cost(
  'forward-passes',
  'Forward passes',
  'passes',
  'Forward passes through a whole tower that a map takes, not counting the encoding of the pair.',
  c => c.forward,
);

/** Backward passes. */
export const backwardPasses = cost(
  'backward-passes',
  'Backward passes',
  'passes',
  'Backward passes through a whole tower that a map takes.',
  c => c.backward,
);

/** Seconds. */
export const seconds = cost(
  'seconds',
  'Seconds',
  's',
  'Seconds a map takes; on a shared machine only ratios mean something.',
  c => c.seconds,
);

/** Peak memory, where it is known. */
export const peakMemory = cost(
  'peak-memory',
  'Peak memory',
  'MB',
  'Largest resident memory while the map was made, where it was measured.',
  c => (c.peakBytes === undefined ? Number.NaN : c.peakBytes / 2 ** 20),
);

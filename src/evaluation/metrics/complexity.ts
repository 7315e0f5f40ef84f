/** @file How concentrated a map is: entropy (Bhatt et al. 2020), Gini index (Chalasani et al. 2020), effective complexity (Nguyen, Martínez 2020). */
import { z } from 'zod';
import type { MetricEntry } from './metric.ts';

const facts = { category: 'complexity', modalities: ['image', 'text'], needs: [] } as const satisfies Partial<MetricEntry>;
const schema = z.strictObject({});

/** Entropy of |a| / Σ|a|, nats; NaN for a map of zeros. */
export const entropy: MetricEntry = {
  ...facts,
  name: 'entropy',
  title: 'Entropy',
  direction: 'lower',
  unit: 'nats',
  reading: 'Entropy of the share of each patch or word in the absolute mass: the logarithm of how many carry the map.',
  source: 'Bhatt, Weller, Moura: Evaluating and aggregating feature-based model explanations, IJCAI 2020; Quantus Complexity',
  schema,
  evaluate({ map }) {
    const total = map.reduce((sum, v) => sum + Math.abs(v), 0);
    if (total === 0) return Number.NaN;
    return -map.reduce((sum, v) => sum + (v === 0 ? 0 : (Math.abs(v) / total) * Math.log(Math.abs(v) / total)), 0);
  },
};

/** Σ (2i − n − 1) |a|₍ᵢ₎ / (n Σ|a|), ascending; NaN for a map of zeros. */
export const gini: MetricEntry = {
  ...facts,
  name: 'gini',
  title: 'Gini sparseness',
  direction: 'higher',
  unit: 'share',
  reading: '0 when all patches or words have the same absolute value, near 1 when one carries all.',
  source: 'Chalasani et al.: Concise explanations of neural networks using adversarial training, ICML 2020; Quantus Sparseness',
  schema,
  evaluate({ map }) {
    const sorted = Float64Array.from(map, Math.abs).sort();
    const total = sorted.reduce((a, b) => a + b, 0);
    if (total === 0) return Number.NaN;
    const n = sorted.length;
    return sorted.reduce((sum, v, i) => sum + (2 * (i + 1) - n - 1) * v, 0) / (n * total);
  },
};

/** Players whose absolute value exceeds a share of the largest. */
export const effectiveComplexity: MetricEntry<{ epsilon: number; relative: boolean }> = {
  ...facts,
  name: 'effective-complexity',
  title: 'Effective complexity',
  direction: 'lower',
  unit: 'players',
  reading: 'How many patches or words are above a tenth of the largest absolute value.',
  source: 'Nguyen, Rodríguez Martínez: On quantitative aspects of model interpretability, 2020; Quantus EffectiveComplexity',
  schema: z.strictObject({
    epsilon: z.number().nonnegative().default(0.1).describe('threshold'),
    relative: z.boolean().default(true).describe('as a share of the largest absolute value, or as it is'),
  }),
  evaluate({ map }, { epsilon, relative }) {
    const most = map.reduce((a, v) => Math.max(a, Math.abs(v)), 0);
    const threshold = relative ? epsilon * most : epsilon;
    return map.reduce((count, v) => count + (Math.abs(v) > threshold ? 1 : 0), 0);
  },
};

/** @file Relevance mass and rank accuracy (Arras et al., CLEVR-XAI, Information Fusion 2022). */
import { z } from 'zod';
import { localisationFacts, located } from './located.ts';
import type { MetricEntry } from './metric.ts';
import { descending, isConstant } from './ranking.ts';

const SOURCE = 'Arras, Osman, Samek: CLEVR-XAI, Information Fusion 2022, equations 1 and 2';

/** Share of the mass on the truth. NaN where the mass is zero. */
export const relevanceMass: MetricEntry<{ signed: boolean }> = {
  ...localisationFacts,
  name: 'relevance-mass',
  title: 'Relevance mass accuracy',
  unit: 'share of the mass',
  reading: 'The share of the mass of the map that lies on the named thing; negative values count as 0 unless signed.',
  source: `${SOURCE}; Quantus divides by the signed sum`,
  schema: z.strictObject({
    signed: z.boolean().default(false).describe('divide by the sum of all values, negative ones included, as Quantus does'),
  }),
  evaluate(sample, { signed }) {
    const { values, truth } = located(sample);
    let inside = 0;
    let total = 0;
    for (let i = 0; i < values.length; i++) {
      const value = signed ? values[i] : Math.max(0, values[i]);
      total += value;
      if (truth[i]) inside += value;
    }
    return total !== 0 ? inside / total : Number.NaN;
  },
};

/** Share of the highest points on the truth, by default as many points as it has. NaN for a map of one value: any order would do. */
export const relevanceRank: MetricEntry<{ top: number }> = {
  ...localisationFacts,
  name: 'relevance-rank',
  title: 'Relevance rank accuracy',
  unit: 'share of the truth',
  reading: 'Of as many highest points as the named thing has, the share that lies on it; a random map gets the share of the area.',
  source: `${SOURCE}; Quantus RelevanceRankAccuracy, and TopKIntersection for a fixed number`,
  schema: z.strictObject({
    top: z.number().int().nonnegative().default(0).describe('how many highest points are looked at; 0: as many as the named thing has'),
  }),
  evaluate(sample, { top }) {
    const { values, truth, inside } = located(sample);
    if (isConstant(values)) return Number.NaN;
    const highest = descending(values).slice(0, top || inside);
    return highest.filter(i => truth[i]).length / highest.length;
  },
};

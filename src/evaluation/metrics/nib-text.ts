/**
 * @file Drop and increase in confidence of captions as NIB's evaluation computes them (ICLR 2025): soft, each word's token embeddings times
 * its value on the min–max map. Corrected: BOS and EOS stay, and a repeated word is weighted once per place, not once per occurrence.
 */
import { z } from 'zod';
import type { MetricEntry, MetricSample } from './metric.ts';
import { isConstant } from './ranking.ts';

/** Scores of the weighted and of the whole caption; undefined for a map of one value. */
async function scores({ map, scoreTokenWeights }: MetricSample): Promise<Float64Array | undefined> {
  if (isConstant(map)) return undefined;
  const [low, high] = [Math.min(...map), Math.max(...map)];
  const rows = new Float32Array(2 * map.length).fill(1, map.length);
  for (let i = 0; i < map.length; i++) rows[i] = (map[i] - low) / (high - low);
  return scoreTokenWeights!(rows);
}

const facts = {
  category: 'paper',
  modalities: ['text'],
  needs: ['tokenWeights'],
  source: 'NIB (ICLR 2025), text evaluation of the published code, with BOS and EOS kept',
  schema: z.strictObject({}),
} as const satisfies Partial<MetricEntry>;

/** 100 · max(0, whole − weighted); NaN for a map of one value. */
export const nibTextDrop: MetricEntry = {
  ...facts,
  name: 'nib-text-drop',
  title: 'Text confidence drop ×100 (NIB)',
  direction: 'lower',
  unit: 'cosine × 100',
  reading: "Cosine points × 100 that are lost when each word's embedding is multiplied by its value on the min–max map.",
  async evaluate(sample) {
    const both = await scores(sample);
    return both ? 100 * Math.max(0, both[1] - both[0]) : Number.NaN;
  },
};

/** 100 where the weighted caption scores higher; NaN for a map of one value. */
export const nibTextIncrease: MetricEntry = {
  ...facts,
  name: 'nib-text-increase',
  title: 'Text confidence increase ×100 (NIB)',
  direction: 'higher',
  unit: '% of pairs',
  reading: "How often the cosine rises when each word's embedding is multiplied by its value on the min–max map.",
  async evaluate(sample) {
    const both = await scores(sample);
    return both ? (both[0] > both[1] ? 100 : 0) : Number.NaN;
  },
};

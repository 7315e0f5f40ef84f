/** @file Sanity checks (Adebayo et al., NeurIPS 2018): a map that explains must change with the model and with the caption. */
import { z } from 'zod';
import { pearson, spearman } from '../../tensor/statistics/rank.ts';
import type { MetricEntry, MetricSample } from './metric.ts';
import { explainAgain } from './options.ts';

/** How two maps are compared. */
type Similarity = 'spearman' | 'pearson';

/** Of ranks, or of values: a map whose background keeps its order while its peaks move has ranks that hardly change. NaN for a constant map. */
const SIMILARITIES: Record<Similarity, (a: ArrayLike<number>, b: ArrayLike<number>) => number> = { spearman, pearson };

const similarityOption = {
  similarity: z
    .enum(['spearman', 'pearson'])
    .default('spearman')
    .describe('correlation of ranks, or of values: peaks that move over a background that stays change only the second'),
};

/** The similarity to the original map after the top 1, 2, … blocks were drawn again: the series for a plot. */
export async function cascade(sample: MetricSample, depth: number, similarity: Similarity = 'spearman'): Promise<number[]> {
  const out: number[] = [];
  for (let blocks = 1; blocks <= depth; blocks++)
    out.push(SIMILARITIES[similarity](sample.map, await explainAgain(sample, { randomisedBlocks: blocks })));
  return out;
}

/** Mean of the cascade. Blocks beyond the model's are the whole model. */
export const parameterRandomisation: MetricEntry<{ depth: number; similarity: Similarity }> = {
  name: 'parameter-randomisation',
  title: 'Parameter randomisation',
  category: 'randomisation',
  modalities: ['image', 'text'],
  direction: 'lower',
  unit: 'rank correlation',
  reading:
    'Rank correlation with the map of a model whose top blocks were drawn again, on average over 1, 2, … blocks: near 1, the map shows the input, not the model.',
  source: 'Adebayo et al.: Sanity checks for saliency maps, NeurIPS 2018 (cascading randomisation); Quantus MPRT',
  needs: ['explain'],
  schema: z.strictObject({
    depth: z.number().int().positive().default(3).describe('blocks from the top that are drawn again, one more each time'),
    ...similarityOption,
  }),
  async evaluate(sample, { depth, similarity }) {
    const series = (await cascade(sample, depth, similarity)).filter(v => !Number.isNaN(v));
    return series.length ? series.reduce((a, b) => a + b, 0) / series.length : Number.NaN;
  },
};

/** Similarity to the map for another pair's caption. */
export const promptRandomisation: MetricEntry<{ similarity: Similarity }> = {
  name: 'prompt-randomisation',
  title: 'Prompt randomisation',
  category: 'randomisation',
  modalities: ['image'],
  direction: 'lower',
  unit: 'rank correlation',
  reading: "Rank correlation with the map for another picture's caption: near 1, the map does not depend on what is asked.",
  source: 'Sixt, Granz, Landgraf: When explanations lie, ICML 2020 (random logit); here with captions in place of classes',
  needs: ['explain'],
  schema: z.strictObject(similarityOption),
  async evaluate(sample, { similarity }) {
    if (sample.otherText === undefined) return Number.NaN;
    return SIMILARITIES[similarity](sample.map, await explainAgain(sample, { text: sample.otherText }));
  },
};

/** 1 where the total of the positive part is larger for the pair's own caption than for another's, ½ where equal, else 0. */
export const matchedAgainstShuffled: MetricEntry = {
  name: 'matched-against-shuffled',
  title: 'Matched against shuffled',
  category: 'randomisation',
  modalities: ['image'],
  direction: 'higher',
  unit: 'share of pairs',
  reading: "How often the map holds more (its positive part, added up) for the picture's own caption than for another's; ½ is chance.",
  source: 'AdaIB (ICLR 2026 submission): maps of mismatched pairs should be weak',
  needs: ['explain'],
  schema: z.strictObject({}),
  async evaluate(sample) {
    if (sample.otherText === undefined) return Number.NaN;
    const mass = (map: ArrayLike<number>): number => Array.from(map).reduce((sum, v) => sum + Math.max(0, v), 0);
    const [matched, other] = [mass(sample.map), mass(await explainAgain(sample, { text: sample.otherText }))];
    return matched === other ? 0.5 : matched > other ? 1 : 0;
  },
};

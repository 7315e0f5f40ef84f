/** @file Intersection over union of the thresholded map and the ground truth. */
import { z } from 'zod';
import { localisationFacts, located } from './located.ts';
import type { MetricEntry } from './metric.ts';
import { descending, isConstant } from './ranking.ts';

type Options = { threshold: 'fixed' | 'mean' | 'otsu' | 'area' | 'top'; at: number };

/** Otsu's threshold over 256 bins of the map's own range: the cut with the largest variance between both sides. */
export function otsuThreshold(values: ArrayLike<number>): number {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  const bins = new Float64Array(256);
  for (let i = 0; i < values.length; i++) bins[Math.min(255, Math.floor((256 * (values[i] - low)) / (high - low || 1)))]++;
  let total = 0;
  bins.forEach((count, b) => {
    total += count * b;
  });
  let [best, at, below, sum] = [-1, 0, 0, 0];
  for (let b = 0; b < 255; b++) {
    below += bins[b];
    sum += bins[b] * b;
    const above = values.length - below;
    if (below === 0 || above === 0) continue;
    const between = below * above * (sum / below - (total - sum) / above) ** 2;
    if (between > best) [best, at] = [between, b];
  }
  return low + ((at + 1) / 256) * (high - low);
}

/** What is marked: values at or above a threshold. */
function marked(values: Float32Array, inside: number, { threshold, at }: Options): (i: number) => boolean {
  if (threshold === 'area' || threshold === 'top') {
    const count = threshold === 'area' ? inside : Math.max(1, Math.round(at * values.length));
    const chosen = new Set(descending(values).slice(0, count));
    return i => chosen.has(i);
  }
  const low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const cut = threshold === 'otsu' ? otsuThreshold(values) : threshold === 'mean' ? mean : low + at * (high - low);
  return i => values[i] >= cut;
}

function overlap(sample: Parameters<MetricEntry<Options>['evaluate']>[0], options: Options): number {
  const { values, truth, inside } = located(sample);
  if (isConstant(values)) return Number.NaN;
  const is = marked(values, inside, options);
  let [both, either] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const m = is(i);
    if (m && truth[i]) both++;
    if (m || truth[i]) either++;
  }
  return both / either;
}

/** NaN for a map of one value: every threshold marks all or nothing. */
export const iou: MetricEntry<Options> = {
  ...localisationFacts,
  name: 'iou',
  title: 'IoU',
  unit: 'share',
  reading: 'Overlap of the marked part of the map with the named thing, over their union; the threshold matters as much as the map.',
  source: 'Localisation of M2IB (arXiv 2312.17174, section 5) and of LeGrad (ICCV 2025)',
  schema: z.strictObject({
    threshold: z
      .enum(['fixed', 'mean', 'otsu', 'area', 'top'])
      .default('area')
      .describe(
        "what is marked: min–max values from `at` up, from the mean up, from Otsu's threshold up, as many pixels as the thing has, or the highest share `at` of all",
      ),
    at: z.number().min(0).max(1).default(0.5).describe('threshold of `fixed` on the min–max scale, or share of `top`'),
  }),
  evaluate: overlap,
};

/** IoU at a fixed threshold, as the papers report it. */
export const iouAtThreshold: MetricEntry<{ at: number }> = {
  ...iou,
  name: 'iou-at-threshold',
  title: 'IoU at a threshold',
  category: 'paper',
  reading: 'IoU of the min–max map above 0.5, as AdaIB reports it for M2IB (MedCLIP-SAMv2: 0.3); a peaked map is punished for its peak.',
  source: 'AdaIB (ICLR 2026 submission), RefCOCOg mIoU; MedCLIP-SAMv2 takes 0.3',
  schema: z.strictObject({ at: z.number().min(0).max(1).default(0.5).describe('threshold on the min–max scale') }),
  evaluate: (sample, { at }) => overlap(sample, { threshold: 'fixed', at }),
};

/** @file The map as a classifier of pixels (or words): area under the ROC curve, and average precision. */
import { z } from 'zod';
import { ranks } from '../../tensor/statistics/rank.ts';
import { localisationFacts, located } from './located.ts';
import type { MetricEntry } from './metric.ts';
import { isConstant } from './ranking.ts';

/** Mann–Whitney's form, ties count half: a constant map gets ½. NaN where the truth is everything. */
export const pixelAuc: MetricEntry = {
  ...localisationFacts,
  name: 'pixel-auc',
  title: 'Pixel AUC',
  unit: 'probability',
  reading: 'Chance that a point on the named thing has a higher value than one off it; ½ says nothing.',
  source: 'Fawcett: An introduction to ROC analysis, 2006; Quantus AUC',
  schema: z.strictObject({}),
  evaluate(sample) {
    const { values, truth, inside } = located(sample);
    const outside = values.length - inside;
    if (outside === 0) return Number.NaN;
    const rank = ranks(values);
    let sum = 0;
    for (let i = 0; i < rank.length; i++) if (truth[i]) sum += rank[i];
    return (sum - (inside * (inside + 1)) / 2) / (inside * outside);
  },
};

/** Precision averaged over the recall steps; equal values are one step. NaN for a map of one value. */
export const pixelAp: MetricEntry = {
  ...localisationFacts,
  name: 'pixel-ap',
  title: 'Pixel AP',
  unit: 'precision',
  reading: 'Mean share of points on the named thing among the highest, over all cuts; a random map gets the share of the area.',
  source: 'LeGrad (ICCV 2025), mAP; scikit-learn average_precision_score',
  schema: z.strictObject({}),
  evaluate(sample) {
    const { values, truth, inside } = located(sample);
    if (isConstant(values)) return Number.NaN;
    const order = Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[b] - values[a]);
    let [hits, precision] = [0, 0];
    for (let i = 0; i < order.length; ) {
      let end = i;
      let found = 0;
      while (end < order.length && values[order[end]] === values[order[i]]) found += truth[order[end++]] ? 1 : 0;
      hits += found;
      precision += (found / inside) * (hits / end);
      i = end;
    }
    return precision;
  },
};

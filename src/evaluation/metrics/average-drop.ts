/** @file What is lost when only the map's best players stay (Grad-CAM++, WACV 2018, with area-matched binary masks in place of soft ones). */
import { z } from 'zod';
import { type Removal, removalOptions } from '../../attribution/removal-options.ts';
import type { MetricEntry } from './metric.ts';
import { gameOf } from './options.ts';
import { descending, isConstant } from './ranking.ts';

type Options = Removal & { kept: number };

const schema = z.strictObject({
  kept: z.number().gt(0).lt(1).default(0.5).describe('share of the patches or words that stay: the same for every map'),
  ...removalOptions,
});

async function keptAndFull(sample: Parameters<MetricEntry<Options>['evaluate']>[0], options: Options): Promise<[number, number]> {
  const game = gameOf(sample, options);
  const n = game.players;
  const rows = new Uint8Array(2 * n).fill(1, n);
  const count = Math.min(n, Math.max(1, Math.round(options.kept * n)));
  for (const i of descending(sample.map).slice(0, count)) rows[i] = 1;
  const [kept, full] = await game.values(rows);
  return [kept, full];
}

const SOURCE = 'Chattopadhay et al.: Grad-CAM++, WACV 2018 (relative drop), with masks of equal area';

/** max(0, full − kept) / full, in percent. NaN for a map without order, or a score that is not positive. */
export const averageDrop: MetricEntry<Options> = {
  name: 'average-drop',
  title: 'Average drop',
  category: 'faithfulness',
  modalities: ['image', 'text'],
  direction: 'lower',
  unit: '% of the score',
  reading: 'How much of the score is lost when only the best half of the patches or words stays; relative, so scores of any size compare.',
  source: SOURCE,
  needs: ['game'],
  schema,
  async evaluate(sample, options) {
    if (isConstant(sample.map)) return Number.NaN;
    const [kept, full] = await keptAndFull(sample, options);
    return full > 0 ? (100 * Math.max(0, full - kept)) / full : Number.NaN;
  },
};

/** 100 where the kept half scores higher than the whole, else 0. */
export const increaseInConfidence: MetricEntry<Options> = {
  ...averageDrop,
  name: 'increase-in-confidence',
  title: 'Increase in confidence',
  direction: 'higher',
  unit: '% of pairs',
  reading: 'How often the best half of the patches or words, without the rest, scores higher than everything.',
  async evaluate(sample, options) {
    if (isConstant(sample.map)) return Number.NaN;
    const [kept, full] = await keptAndFull(sample, options);
    return kept > full ? 100 : 0;
  },
};

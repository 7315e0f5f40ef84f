/** @file Options that several metrics share. */
import { z } from 'zod';
import type { Game, ImageRemoval, TextRemoval } from '../game.ts';
import type { MetricSample } from './metric.ts';

/** How removed patches and words are replaced. */
export const removalOptions = {
  removal: z
    .enum(['mean', 'blur', 'drop'])
    .default('mean')
    .describe('what removed patches become: the mean colour, a blurred copy, or hidden from attention'),
  textRemoval: z.enum(['mask', 'delete']).default('mask').describe('how words are removed: hidden from attention, or out of the caption'),
};

/** Options with them. */
export interface Removal {
  readonly removal: ImageRemoval;
  readonly textRemoval: TextRemoval;
}

/** Steps of a curve. */
export const stepsOption = {
  steps: z.number().int().nonnegative().default(16).describe('steps of the curve over patches; 0: one by one. Words go one by one'),
};

/** The sample's game under the options' removal. */
export const gameOf = (sample: MetricSample, options: Removal): Game =>
  sample.game!(sample.modality === 'image' ? options.removal : options.textRemoval);

/** Steps for the sample's players. */
export const stepsOf = (sample: MetricSample, steps: number): number => (sample.modality === 'image' ? steps : 0);

/** @file How removed patches and words are replaced, as options: for perturbation methods and for metrics that remove. */
import { z } from 'zod';
import type { ImageRemoval, TextRemoval } from './game.ts';

/** The options' schema. */
export const removalOptions = {
  removal: z
    .enum(['mean', 'blur', 'drop'])
    .default('mean')
    .describe('what removed patches become: the mean colour, a blurred copy, or hidden from attention'),
  textRemoval: z.enum(['mask', 'delete']).default('mask').describe('how words are removed: hidden from attention, or taken out'),
};

/** Their values. */
export interface Removal {
  readonly removal: ImageRemoval;
  readonly textRemoval: TextRemoval;
}

/** @file Options that several metrics share. */
import { z } from 'zod';
import type { Game } from '../../attribution/game.ts';
import type { Removal } from '../../attribution/removal-options.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Change, MetricSample } from './metric.ts';

/** Steps of a curve. */
export const stepsOption = {
  steps: z.number().int().nonnegative().default(16).describe('steps of the curve over patches; 0: one by one. Words go one by one'),
};

/** The sample's game under the options' removal. @throws NarrowsError where the map has not one value per player */
export function gameOf(sample: MetricSample, options: Removal): Game {
  const game = sample.game!(sample.modality === 'image' ? options.removal : options.textRemoval);
  if (game.players !== sample.map.length)
    throw new NarrowsError(
      `The map has ${sample.map.length} values for ${game.players} ${sample.modality === 'image' ? 'patches' : 'words'}; each needs one.`,
    );
  return game;
}

/** The map under a change. @throws NarrowsError where the method then gives another number of values */
export async function explainAgain(sample: MetricSample, change: Change): Promise<Float32Array> {
  const map = await sample.explain!(change);
  if (map.length !== sample.map.length)
    throw new NarrowsError(`The method gave ${map.length} values where the map to compare with has ${sample.map.length}.`);
  return map;
}

/** Steps for the sample's players. */
export const stepsOf = (sample: MetricSample, steps: number): number => (sample.modality === 'image' ? steps : 0);

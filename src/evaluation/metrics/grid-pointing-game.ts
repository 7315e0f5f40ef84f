/** @file The grid pointing game (Böhle et al., CVPR 2021) on mosaics: the truth is one cell of a grid of pictures. */
import { z } from 'zod';
import { energyPointingGame } from './energy-pointing-game.ts';
import type { MetricEntry } from './metric.ts';

/** NaN where the map is nowhere positive, or the truth is no cell (a full rectangle that divides the view evenly). */
export const gridPointingGame: MetricEntry = {
  ...energyPointingGame,
  name: 'grid-pointing-game',
  title: 'Grid pointing game',
  modalities: ['image'],
  reading: 'On a mosaic of pictures, the share of the positive mass in the cell of the named one; chance is one over the number of cells.',
  source: 'Böhle, Fritz, Schiele: Convolutional dynamic alignment networks, CVPR 2021',
  schema: z.strictObject({}),
  evaluate(sample, options) {
    const [height, width] = sample.size!;
    const truth = sample.truth!;
    const first = truth.findIndex(v => v !== 0);
    const last = truth.findLastIndex(v => v !== 0);
    const [top, left] = [Math.floor(first / width), first % width];
    const [h, w] = [Math.floor(last / width) - top + 1, (last % width) - left + 1];
    const filled = truth.filter(v => v !== 0).length === h * w;
    const even = height % h === 0 && width % w === 0 && top % h === 0 && left % w === 0;
    return filled && even && h * w < height * width ? energyPointingGame.evaluate(sample, options) : Number.NaN;
  },
};

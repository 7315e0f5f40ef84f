/** @file Occlusion (Zeiler and Fergus, ECCV 2014): what the target loses when a patch, a window of patches or a word is taken out. */
import { z } from 'zod';
import type { MethodEntry } from '../method.ts';
import { occlude, slidingWindows } from '../perturbation/estimators/occlusion.ts';
import { explainGames, perturbationShape } from '../perturbation/explain.ts';

const schema = z.strictObject({
  window: z.number().int().positive().default(1).describe('patches per side of a window that slides over the image one patch at a time'),
  ...perturbationShape,
});

/** Occlusion: what the target loses without a patch or word. A patch gets the mean over the windows that hold it; words are always left out one by one. */
export const occlusion: MethodEntry<z.infer<typeof schema>> = {
  name: 'occlusion',
  title: 'Occlusion',
  family: 'perturbation',
  serves: 'pair',
  answers: { by: 'sides' },
  modalities: ['image', 'text'],
  schema,
  cost: '(players + 1) × F',
  paper: 'Zeiler, Fergus: Visualizing and understanding convolutional networks, ECCV 2014, arXiv 1311.2901',
  unit: 'score',
  signed: true,
  sampled: false,
  explain: (run, options) =>
    explainGames(
      run,
      'occlusion',
      options,
      n => n + 1,
      (game, { job }) => {
        const [rows, columns] = (job.grid ?? [1, 1]).map(side => Math.ceil(side / options.block));
        return occlude(game, job.grid && options.window > 1 ? slidingWindows([rows, columns], options.window) : undefined);
      },
    ),
};

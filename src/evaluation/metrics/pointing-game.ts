/** @file The pointing game (Zhang et al., IJCV 2018): does the map's maximum lie on the named thing? */
import { z } from 'zod';
import { localisationFacts, located } from './located.ts';
import type { MetricEntry } from './metric.ts';

type Options = { tolerance: number };

/** Values this close to the maximum, relative to the range, are maxima too: interpolation rounds. */
const TIE = 1e-6;

/** Share of the maxima for which `hit` holds; between 0 and 1 where several are the highest. */
export function shareOfHits(values: ArrayLike<number>, hit: (at: number) => boolean): number {
  let [low, top] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]);
    top = Math.max(top, values[i]);
  }
  let [hits, ties] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    if (values[i] < top - TIE * (top - low)) continue;
    ties++;
    if (hit(i)) hits++;
  }
  return hits / ties;
}

/** Share of the maxima that hit; 1 or 0 but for ties, so a constant map gets the share of the truth. */
export const pointingGame: MetricEntry<Options> = {
  ...localisationFacts,
  name: 'pointing-game',
  title: 'Pointing game',
  unit: 'share of hits',
  reading: "How often the map's highest point lies on the named thing; where several points are the highest, the share of them that do.",
  source: 'Zhang et al.: Top-down neural attention by excitation backprop, IJCV 2018; Quantus PointingGame',
  schema: z.strictObject({
    tolerance: z.number().int().nonnegative().default(0).describe('pixels by which a maximum may miss (15 in the original)'),
  }),
  evaluate(sample, { tolerance }) {
    const { values, truth, width } = located(sample);
    const height = truth.length / width;
    const near = (at: number): boolean => {
      if (truth[at]) return true;
      if (tolerance === 0 || sample.modality === 'text') return false;
      const [y, x] = [Math.floor(at / width), at % width];
      for (let v = Math.max(0, y - tolerance); v <= Math.min(height - 1, y + tolerance); v++)
        for (let u = Math.max(0, x - tolerance); u <= Math.min(width - 1, x + tolerance); u++)
          if (truth[v * width + u] && (v - y) ** 2 + (u - x) ** 2 <= tolerance ** 2) return true;
      return false;
    };
    return shareOfHits(values, near);
  },
};

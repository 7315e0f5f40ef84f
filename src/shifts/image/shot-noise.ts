/** @file shot_noise: light comes in grains, and few of them. */
import type { RandomReader } from '../../tensor/random.ts';
import { atSeverity, type ImageShift } from '../shift.ts';
import { mapPicture } from './primitives/float-image.ts';
import { IMAGENET_C } from './primitives/sources.ts';

const PHOTONS = [60, 25, 12, 5, 3];

/** P(K <= k) of a Poisson variable, until nothing is left that a 32-bit uniform could meet. */
function cumulative(rate: number): number[] {
  const out: number[] = [];
  let term = Math.exp(-rate);
  let total = term;
  for (let k = 1; total < 1 - 2 ** -34 && k < 1000; k++) {
    out.push(total);
    term *= rate / k;
    total += term;
  }
  return out;
}

/** The smallest k with u <= P(K <= k): one uniform for one draw. */
function draw(table: readonly number[], reader: RandomReader): number {
  const u = reader.uniform();
  let low = 0;
  let high = table.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (table[middle] < u) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Poisson(y · c) / c, by inversion; a byte has 256 values, so as many tables do. */
export const shotNoise: ImageShift = {
  name: 'shot_noise',
  modality: 'image',
  severities: 5,
  summary: 'Replaces every value by a Poisson count with that mean: the fewer photons, the coarser.',
  constants: `${PHOTONS.join(', ')} photons at full brightness`,
  scaled: '',
  source: IMAGENET_C,
  random: true,
  apply(image, severity, reader) {
    const photons = atSeverity('shot_noise', severity, PHOTONS);
    const tables = Array.from({ length: 256 }, (_, byte) => cumulative((byte / 255) * photons));
    return mapPicture(image, (_, i) => draw(tables[image.data[i]], reader) / photons);
  },
};

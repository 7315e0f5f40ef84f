/** @file speckle_noise: noise that grows with the light. */
import { atSeverity, type ImageShift } from '../shift.ts';
import { mapPicture } from './primitives/float-image.ts';
import { IMAGENET_C_EXTRA } from './primitives/sources.ts';

const SIGMA = [0.15, 0.2, 0.35, 0.45, 0.6];

/** y + y · N(0, sigma). */
export const speckleNoise: ImageShift = {
  name: 'speckle_noise',
  modality: 'image',
  severities: 5,
  summary: 'Adds Gaussian noise in proportion to the value: bright places suffer, black stays black.',
  constants: `standard deviation ${SIGMA.join(', ')} of the value`,
  scaled: '',
  source: IMAGENET_C_EXTRA,
  random: true,
  apply(image, severity, reader) {
    const sigma = atSeverity('speckle_noise', severity, SIGMA);
    return mapPicture(image, v => v + v * sigma * reader.normal());
  },
};

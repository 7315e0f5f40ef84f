/** @file gaussian_noise: what a sensor adds in poor light. */
import { atSeverity, type ImageShift } from '../shift.ts';
import { mapPicture } from './primitives/float-image.ts';
import { IMAGENET_C } from './primitives/sources.ts';

const SIGMA = [0.08, 0.12, 0.18, 0.26, 0.38];

/** y + N(0, sigma), each channel of each pixel on its own. */
export const gaussianNoise: ImageShift = {
  name: 'gaussian_noise',
  modality: 'image',
  severities: 5,
  summary: 'Adds Gaussian noise to every channel of every pixel.',
  constants: `standard deviation ${SIGMA.join(', ')} of the full range`,
  scaled: '',
  source: IMAGENET_C,
  random: true,
  apply(image, severity, reader) {
    const sigma = atSeverity('gaussian_noise', severity, SIGMA);
    return mapPicture(image, v => v + sigma * reader.normal());
  },
};

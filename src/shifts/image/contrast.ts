/** @file contrast. */
import { atSeverity, type ImageShift } from '../shift.ts';
import { mapPicture } from './primitives/float-image.ts';
import { IMAGENET_C } from './primitives/sources.ts';

const FACTORS = [0.4, 0.3, 0.2, 0.1, 0.05];

/** (y - mean) · c + mean, with the mean of each channel over the picture. */
export const contrast: ImageShift = {
  name: 'contrast',
  modality: 'image',
  severities: 5,
  summary: "Draws every value towards its channel's mean over the picture.",
  constants: `distance from the mean x ${FACTORS.join(', ')}`,
  scaled: '',
  source: IMAGENET_C,
  random: false,
  apply(image, severity) {
    const factor = atSeverity('contrast', severity, FACTORS);
    const { data } = image;
    const sums = [0, 0, 0];
    for (let i = 0; i < data.length; i++) sums[i % 3] += data[i];
    const means = sums.map(sum => sum / (image.width * image.height) / 255);
    return mapPicture(image, (v, i) => (v - means[i % 3]) * factor + means[i % 3]);
  },
};

/** @file impulse_noise: salt and pepper. */
import { atSeverity, type ImageShift } from '../shift.ts';
import { mapPicture } from './primitives/float-image.ts';
import { IMAGENET_C } from './primitives/sources.ts';

const AMOUNT = [0.03, 0.06, 0.09, 0.17, 0.27];

/** Each channel of each pixel becomes 0 or 1, evenly, with the given probability (skimage's `random_noise`, mode `s&p`). */
export const impulseNoise: ImageShift = {
  name: 'impulse_noise',
  modality: 'image',
  severities: 5,
  summary: 'Sets a share of the values, channel by channel, to full or to none.',
  constants: `share ${AMOUNT.join(', ')}`,
  scaled: '',
  source: IMAGENET_C,
  random: true,
  apply(image, severity, reader) {
    const amount = atSeverity('impulse_noise', severity, AMOUNT);
    // One uniform decides both: below amount / 2 it is pepper, up to amount salt.
    return mapPicture(image, v => {
      const u = reader.uniform();
      return u > amount ? v : u > amount / 2 ? 1 : 0;
    });
  },
};

/** @file downscale: a thumbnail that was enlarged again. */
import { resizeImage } from '../../inputs/image/resize.ts';
import { atSeverity, type ImageShift, lengthScale } from '../shift.ts';
import { OURS } from './primitives/place.ts';

const FACTORS = [2, 3, 4, 6, 8];

/** Bicubic down to 1/factor of the sides and up to the old size, as Pillow resizes: smooth, where pixelate has blocks. */
export const downscale: ImageShift = {
  name: 'downscale',
  modality: 'image',
  severities: 5,
  summary: 'Shrinks the picture and enlarges it again, both smoothly.',
  constants: `sides / ${FACTORS.join(', ')}`,
  scaled: 'the factor (at least 1, so small pictures hardly change)',
  source: OURS,
  random: false,
  apply(image, severity, _reader, options) {
    const factor = Math.max(1, atSeverity('downscale', severity, FACTORS) * lengthScale(image, options));
    const small = (side: number): number => Math.max(1, Math.round(side / factor));
    return resizeImage(resizeImage(image, small(image.width), small(image.height), 'bicubic'), image.width, image.height, 'bicubic');
  },
};

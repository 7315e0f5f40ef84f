/** @file pixelate: too few pixels. */
import { resizeImage } from '../../inputs/image/resize.ts';
import { atSeverity, type ImageShift, lengthScale } from '../shift.ts';
import { IMAGENET_C } from './primitives/sources.ts';

const SHARES = [0.6, 0.5, 0.4, 0.3, 0.25];

/** Box-filtered down to a share of its sides, and back by repeating pixels; with Pillow's bytes. */
export const pixelate: ImageShift = {
  name: 'pixelate',
  modality: 'image',
  severities: 5,
  summary: 'Shrinks the picture and enlarges it again without smoothing.',
  constants: `${SHARES.join(', ')} of the pixels along each side`,
  scaled: 'block size (never below one pixel, so small pictures hardly change)',
  source: IMAGENET_C,
  random: false,
  apply(image, severity, _reader, options) {
    const share = Math.min(1, atSeverity('pixelate', severity, SHARES) / lengthScale(image, options));
    const small = (side: number) => Math.max(1, Math.floor(side * share));
    return resizeImage(resizeImage(image, small(image.width), small(image.height), 'box'), image.width, image.height, 'nearest');
  },
};

/** @file pixelate: too few pixels. */
import { resizeImage } from '../../inputs/image/resize.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { atSeverity, type ImageShift, lengthScale } from '../shift.ts';
import { resizeByArea } from './primitives/area.ts';
import { IMAGENET_C } from './primitives/sources.ts';

const SHARES = [0.6, 0.5, 0.4, 0.3, 0.25];

/** As MM_Robustness: to a square of 224 · share, whatever the picture's shape, and back with its sides exchanged. */
function squarely(image: RgbImage, share: number): RgbImage {
  const side = Math.floor(224 * share);
  return resizeByArea(resizeByArea(image, side, side), image.height, image.width);
}

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
    if (options?.compat === 'mm-robustness') return squarely(image, atSeverity('pixelate', severity, SHARES));
    const share = Math.min(1, atSeverity('pixelate', severity, SHARES) / lengthScale(image, options));
    const small = (side: number) => Math.max(1, Math.floor(side * share));
    return resizeImage(resizeImage(image, small(image.width), small(image.height), 'box'), image.width, image.height, 'nearest');
  },
};

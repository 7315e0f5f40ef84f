/** @file jpeg_compression. */

import { NarrowsError } from '../../system/errors.ts';
import { swapRedBlue } from '../compat.ts';
import { atSeverity, type ImageShift } from '../shift.ts';
import { IMAGENET_C } from './primitives/sources.ts';

const QUALITIES = [25, 18, 15, 10, 7];

/** Saved as Pillow saves by default and read again, by the codec that is passed in. */
export const jpegCompression: ImageShift = {
  name: 'jpeg_compression',
  modality: 'image',
  severities: 5,
  summary: 'Saves the picture as JPEG of low quality and reads it again.',
  constants: `quality ${QUALITIES.join(', ')}`,
  scaled: '',
  source: IMAGENET_C,
  random: false,
  async apply(image, severity, _reader, { saveAsJpeg, compat } = {}) {
    const quality = atSeverity('jpeg_compression', severity, QUALITIES);
    if (!saveAsJpeg) throw new NarrowsError('jpeg_compression needs a JPEG codec: pass saveAsJpeg, or call shiftImage of shifts/apply.ts.');
    // MM_Robustness gives the codec BGR for RGB.
    return compat === 'mm-robustness' ? swapRedBlue(await saveAsJpeg(swapRedBlue(image), quality)) : saveAsJpeg(image, quality);
  },
};

/** @file jpeg_compression. */

import { decodeImage } from '../../inputs/image/decode.ts';
import { sharp } from '../../node/sharp.ts';
import { atSeverity, type ImageShift } from '../shift.ts';
import { IMAGENET_C } from './primitives/sources.ts';

const QUALITIES = [25, 18, 15, 10, 7];

/** Saved as Pillow saves by default (baseline, 4:2:0, the standard's tables, no clever quantisation) and read again. */
export const jpegCompression: ImageShift = {
  name: 'jpeg_compression',
  modality: 'image',
  severities: 5,
  summary: 'Saves the picture as JPEG of low quality and reads it again.',
  constants: `quality ${QUALITIES.join(', ')}`,
  scaled: '',
  source: IMAGENET_C,
  random: false,
  async apply(image, severity) {
    const quality = atSeverity('jpeg_compression', severity, QUALITIES);
    const { width, height, data } = image;
    const bytes = await sharp(data, { raw: { width, height, channels: 3 } })
      .jpeg({
        quality,
        chromaSubsampling: '4:2:0',
        progressive: false,
        mozjpeg: false,
        trellisQuantisation: false,
        overshootDeringing: false,
        optimiseScans: false,
        optimiseCoding: false,
        quantisationTable: 0,
      })
      .toBuffer();
    return decodeImage(bytes);
  },
};

/** @file crop: too close, or not quite in the frame. */
import { resizeImage } from '../../inputs/image/resize.ts';
import { atSeverity, type ImageShift } from '../shift.ts';
import { OURS } from './primitives/place.ts';

const SHARES = [0.9, 0.8, 0.7, 0.6, 0.5];

/** A window of the picture's own shape at a random place, enlarged to the picture's size. */
export const crop: ImageShift = {
  name: 'crop',
  modality: 'image',
  severities: 5,
  moves: true,
  summary: 'Cuts out a window at a random place and enlarges it to the old size: things at the edges are lost.',
  constants: `window of ${SHARES.join(', ')} of each side`,
  scaled: '',
  source: OURS,
  random: true,
  apply(image, severity, reader) {
    const share = atSeverity('crop', severity, SHARES);
    const width = Math.max(1, Math.round(image.width * share));
    const height = Math.max(1, Math.round(image.height * share));
    const left = reader.integer(image.width - width + 1);
    const top = reader.integer(image.height - height + 1);
    const data = new Uint8Array(width * height * 3);
    for (let y = 0; y < height; y++) {
      const from = ((top + y) * image.width + left) * 3;
      data.set(image.data.subarray(from, from + width * 3), y * width * 3);
    }
    return resizeImage({ width, height, data }, image.width, image.height, 'bicubic');
  },
};

/** @file aspect: a picture that was fitted into a frame of another shape. */
import { atSeverity, type ImageShift } from '../shift.ts';
import { OURS, squeezePicture } from './primitives/place.ts';

const SHARES = [0.9, 0.8, 0.7, 0.6, 0.5];

/** One side is squeezed, the draw says which; all of the picture stays visible, on a ground of its mean colour. */
export const aspect: ImageShift = {
  name: 'aspect',
  modality: 'image',
  severities: 5,
  moves: true,
  summary: 'Squeezes the width or the height, so that things look tall or flat; the rest of the frame has the mean colour.',
  constants: `one side x ${SHARES.join(', ')}`,
  scaled: '',
  source: OURS,
  random: true,
  apply(image, severity, reader) {
    const share = atSeverity('aspect', severity, SHARES);
    const squeezed = (side: number): number => Math.max(1, Math.round(side * share));
    const { width, height } = image;
    return reader.uniform() < 0.5 ? squeezePicture(image, squeezed(width), height) : squeezePicture(image, width, squeezed(height));
  },
};

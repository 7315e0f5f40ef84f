/** @file rotate: a camera that is not held level. */
import { atSeverity, type ImageShift } from '../shift.ts';
import { OURS, turnPicture } from './primitives/place.ts';

const DEGREES = [5, 10, 20, 30, 45];

/** Turned to the left or to the right, as the draw says; corners that come in have the picture's mean colour. */
export const rotate: ImageShift = {
  name: 'rotate',
  modality: 'image',
  severities: 5,
  moves: true,
  summary: 'Turns the picture about its middle, to either side; what comes in has its mean colour.',
  constants: `${DEGREES.join(', ')} degrees`,
  scaled: '',
  source: OURS,
  random: true,
  apply(image, severity, reader) {
    const degrees = atSeverity('rotate', severity, DEGREES);
    return turnPicture(image, reader.uniform() < 0.5 ? degrees : -degrees);
  },
};

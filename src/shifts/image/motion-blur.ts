/** @file motion_blur: a camera that moves while the shutter is open. */
import { atSeverity, type ImageShift, lengthScale } from '../shift.ts';
import { toBytes, toFloat } from './primitives/float-image.ts';
import { motionSmooth } from './primitives/motion.ts';
import { IMAGENET_C } from './primitives/sources.ts';

/** Radius and sigma in pixels. */
const MOTIONS = [
  [10, 3],
  [15, 5],
  [15, 8],
  [15, 12],
  [20, 15],
] as const;

/** Half a Gaussian along a line whose angle is uniform in (-45°, 45°). */
export const motionBlur: ImageShift = {
  name: 'motion_blur',
  modality: 'image',
  severities: 5,
  summary: 'Smears along a line of random angle within 45° of the horizontal.',
  constants: `radius ${MOTIONS.map(([radius]) => radius).join(', ')}; sigma ${MOTIONS.map(([, sigma]) => sigma).join(', ')} pixels`,
  scaled: 'radius (rounded up) and sigma',
  source: IMAGENET_C,
  random: true,
  apply(image, severity, reader, options) {
    const [radius, sigma] = atSeverity('motion_blur', severity, MOTIONS);
    const scale = lengthScale(image, options);
    return toBytes(motionSmooth(toFloat(image), Math.ceil(radius * scale), sigma * scale, reader.uniform(-45, 45)));
  },
};

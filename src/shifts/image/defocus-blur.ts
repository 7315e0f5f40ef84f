/** @file defocus_blur: a lens out of focus. */
import { atSeverity, type ImageShift, lengthScale } from '../shift.ts';
import { diskKernel, filterPicture } from './primitives/disk.ts';
import { toBytes, toFloat } from './primitives/float-image.ts';
import { IMAGENET_C } from './primitives/sources.ts';

/** Radius of the disk in pixels, and sigma of the Gaussian that smooths its stairs. */
const DISKS = [
  [3, 0.1],
  [4, 0.5],
  [6, 0.5],
  [8, 0.5],
  [10, 0.5],
] as const;

/** Every channel under a disk of weights, mirrored beyond the edges. The stairs' smoothing stays in pixels, whatever the scale. */
export const defocusBlur: ImageShift = {
  name: 'defocus_blur',
  modality: 'image',
  severities: 5,
  summary: 'Spreads every point over a disk, as a lens out of focus does.',
  constants: `radius ${DISKS.map(([radius]) => radius).join(', ')} pixels`,
  scaled: 'radius',
  source: IMAGENET_C,
  random: false,
  apply(image, severity, _reader, options) {
    const [radius, aliasBlur] = atSeverity('defocus_blur', severity, DISKS);
    return toBytes(filterPicture(toFloat(image), diskKernel(radius * lengthScale(image, options), aliasBlur)));
  },
};

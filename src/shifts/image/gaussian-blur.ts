/** @file gaussian_blur. */
import { atSeverity, type ImageShift, lengthScale } from '../shift.ts';
import { toBytes, toFloat } from './primitives/float-image.ts';
import { gaussianSmooth } from './primitives/gaussian.ts';
import { IMAGENET_C_EXTRA } from './primitives/sources.ts';

const SIGMA = [1, 2, 3, 4, 6];

/** A Gaussian over each channel, edge pixels repeated, cut at four sigmas. */
export const gaussianBlur: ImageShift = {
  name: 'gaussian_blur',
  modality: 'image',
  severities: 5,
  summary: 'Smooths with a Gaussian.',
  constants: `sigma ${SIGMA.join(', ')} pixels`,
  scaled: 'sigma',
  source: IMAGENET_C_EXTRA,
  random: false,
  apply(image, severity, _reader, options) {
    const sigma = atSeverity('gaussian_blur', severity, SIGMA) * lengthScale(image, options);
    return toBytes(gaussianSmooth(toFloat(image), sigma));
  },
};

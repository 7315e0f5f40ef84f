/** @file imagenet-c: the fifteen corruptions of ImageNet-C, and its four extra ones, in all severities. */
import { scenarioName } from './scenario.ts';
import type { Suite } from './suite.ts';

const FIFTEEN = [
  'gaussian_noise',
  'shot_noise',
  'impulse_noise',
  'defocus_blur',
  'glass_blur',
  'motion_blur',
  'zoom_blur',
  'snow',
  'frost',
  'fog',
  'brightness',
  'contrast',
  'elastic_transform',
  'pixelate',
  'jpeg_compression',
];
const EXTRA = ['speckle_noise', 'gaussian_blur', 'spatter', 'saturate'];

const all = (names: readonly string[]) =>
  names.flatMap(shift =>
    [1, 2, 3, 4, 5].map(severity => {
      const image = { shift, severity };
      return { name: scenarioName({ image }), image };
    }),
  );

/** What mean corruption errors are computed over. */
export const imagenetC: Suite = {
  name: 'imagenet-c',
  description: 'The fifteen corruptions of ImageNet-C (Hendrycks and Dietterich, ICLR 2019) at five severities: 75 scenarios.',
  marked: 'published',
  scenarios: all(FIFTEEN),
};

/** Those that the publication keeps for validation. */
export const imagenetCExtra: Suite = {
  name: 'imagenet-c-extra',
  description: "ImageNet-C's four extra corruptions, kept for validation, at five severities: 20 scenarios.",
  marked: 'published',
  scenarios: all(EXTRA),
};

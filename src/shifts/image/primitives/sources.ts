/** @file The publications the image shifts follow. */

/** Where the fifteen corruptions and their constants were introduced. */
export const IMAGENET_C =
  'Hendrycks and Dietterich, ICLR 2019 (ImageNet-C); imagecorruptions (Michaelis et al., 2019) for pictures of any size';
/** The four extra corruptions besides the fifteen. */
export const IMAGENET_C_EXTRA = 'Hendrycks and Dietterich, ICLR 2019 (ImageNet-C, extra set); imagecorruptions (Michaelis et al., 2019)';

/** @file The cosine to another picture, for both towers. */
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { processImage } from '../../models/process-image.ts';
import { floats } from '../../tensor/tensor.ts';
import { linearTarget, unit } from '../target.ts';
import type { TargetEncoder } from './target-kind.ts';

/** It takes the caption's place for the picture, and the picture's for the caption. */
export const otherImage: TargetEncoder<RgbImage> = async ({ model, images, imageSize }, picture) => {
  const { pixelValues } = processImage(model, picture, imageSize);
  const other = unit((await model.imageFeatures(floats([1, ...pixelValues.shape], pixelValues.data))).data);
  const target = linearTarget(
    images.map(() => other),
    { kind: 'other-image', description: 'cosine to the other image' },
  );
  return { image: target, text: target };
};

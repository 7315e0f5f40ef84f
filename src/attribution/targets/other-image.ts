/** @file The cosine to another picture, for both towers. */
import { pictureWarnings } from '../../inputs/image/picture-warnings.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { processImage } from '../../models/process-image.ts';
import { floats } from '../../tensor/tensor.ts';
import { linearTarget, unit } from '../target.ts';
import type { TargetEncoder } from './target-kind.ts';

/** It takes the caption's place for the picture, and the picture's for the caption. */
export const otherImage: TargetEncoder<RgbImage> = async ({ model, images, imageSize, imageName, warn }, picture) => {
  const { pixelValues } = processImage(model, picture, imageSize);
  for (const warning of pictureWarnings(picture, pixelValues, 'The target picture')) warn(warning);
  const other = unit((await model.imageFeatures(floats([1, ...pixelValues.shape], pixelValues.data))).data);
  const target = linearTarget(
    images.map(() => other),
    { kind: 'other-image', description: imageName ? `cosine to the picture ${imageName}` : 'cosine to the other image' },
  );
  return { image: target, text: target };
};

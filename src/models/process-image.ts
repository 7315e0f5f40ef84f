/** @file A picture as a tower's patches see it. */
import { cropProcessed, type ImageProcessor, type ProcessedImage } from '../inputs/image/processor.ts';
import type { RgbImage } from '../inputs/image/rgb-image.ts';
import type { Tower } from './dual-encoder.ts';

/** Edge of a tower's patches in pixels. */
export function patchSize(tower: Pick<Tower, 'grid'>): number {
  const far = 2 ** 24;
  return Math.round(far / tower.grid!(far, far)[0]);
}

/**
 * Leaves away what no patch covers: where the patch size does not divide the input (384/14), the rows and columns behind the last whole
 * patch change nothing, and no map may be laid over them.
 */
export function coveredByPatches(model: { readonly image: Pick<Tower, 'grid'> }, processed: ProcessedImage): ProcessedImage {
  const [, height, width] = processed.pixelValues.shape;
  const [rows, columns] = model.image.grid!(height, width);
  // An input smaller than a patch is refused by the model, which names both sizes.
  if (rows < 1 || columns < 1) return processed;
  const edge = patchSize(model.image);
  return cropProcessed(processed, rows * edge, columns * edge);
}

/**
 * Processes a picture, as far as patches cover it. @param size edge of a square input, instead of the configured one
 * @throws NarrowsError as `ImageProcessor.process`
 */
export const processImage = (
  model: { readonly processor: ImageProcessor; readonly image: Pick<Tower, 'grid'> },
  image: RgbImage,
  size?: number,
): ProcessedImage => coveredByPatches(model, model.processor.process(image, { size }));

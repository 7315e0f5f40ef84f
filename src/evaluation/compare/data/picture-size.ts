/** @file Sizes of pictures that data files name. */
import { imageSize } from '../../../inputs/image/decode.ts';
import type { ImageReadOptions } from '../../../inputs/image/image-reading.ts';
import { NarrowsError } from '../../../system/errors.ts';
import type { PixelSize } from './boxes.ts';

/** The size of a picture by its header. @throws NarrowsError for a file that is missing or no picture */
export async function pictureSize(path: string, where: string, options: ImageReadOptions = {}): Promise<PixelSize> {
  return await imageSize(path, options).catch(error => {
    throw error instanceof NarrowsError ? new NarrowsError(`${where}: ${error.message}`, { cause: error }) : error;
  });
}

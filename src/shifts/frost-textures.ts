/** @file The published photographs of frost, from a folder on this disk. Node only. */
import { decodeImage } from '../inputs/image/decode.ts';
import type { RgbImage } from '../inputs/image/rgb-image.ts';
import { readdir } from '../node/disk.ts';
import { join } from '../node/paths.ts';
import { NarrowsError } from '../system/errors.ts';
import { readError } from '../system/read-error.ts';

/** The names under which imagecorruptions and ImageNet-C keep them; a sixth one is never drawn by either. */
const NAMES = /^frost([1-5])\.(png|jpe?g)$/i;

/**
 * `frost1` to `frost5` of a folder, such as `imagecorruptions/frost` or `ImageNet-C/imagenet_c/imagenet_c/frost`, in their order.
 * @throws NarrowsError where the folder cannot be read or not all five are there
 */
export async function readFrostTextures(directory: string): Promise<RgbImage[]> {
  const files = await readdir(directory).catch(error => {
    throw readError(directory, error);
  });
  const found = files.filter(file => NAMES.test(file)).sort((a, b) => a.toLowerCase().localeCompare(b.toLowerCase(), 'en'));
  const numbers = new Set(found.map(file => NAMES.exec(file)![1]));
  if (found.length !== 5 || numbers.size !== 5)
    throw new NarrowsError(
      `${directory} should hold the five published textures frost1.png to frost5.jpg, each once; ${found.length ? `it has ${found.join(', ')}` : 'none of them is there'}.`,
    );
  return Promise.all(found.map(file => decodeImage(join(directory, file))));
}

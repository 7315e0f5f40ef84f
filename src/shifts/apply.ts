/** @file Shifts by name and seed: what experiments and the command line call. Pictures are saved as JPEG by Node's codec. */
import type { RgbImage } from '../inputs/image/rgb-image.ts';
import { saveAsJpeg } from './jpeg-codec.ts';
import { type Draw, shiftImageWith } from './seeded.ts';
import type { ImageShiftOptions } from './shift.ts';

export { type Draw, shiftText } from './seeded.ts';

/**
 * A picture under a shift: same name, severity, seed and sample, same bytes.
 * @param severity 1 to 5 @throws NarrowsError for an unknown name or severity
 * @example
 * const image = await decodeImage('examples/scene.png');
 * const noisy = await shiftImage('gaussian_noise', image, 3, { seed: 1 });
 * console.log(noisy.width === image.width);
 */
export const shiftImage = (name: string, image: RgbImage, severity: number, options: Draw & ImageShiftOptions = {}): Promise<RgbImage> =>
  shiftImageWith(name, image, severity, { saveAsJpeg, ...options });

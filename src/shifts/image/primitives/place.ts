/** @file Moving a picture about in its own frame: turned, or made smaller on a ground of its mean colour. */
import { resizeImage } from '../../../inputs/image/resize.ts';
import type { RgbImage } from '../../../inputs/image/rgb-image.ts';

/** What the geometric shifts stand on. */
export const OURS = 'Narrows: constants of our own, no publication';

/** The mean of each channel, as bytes. */
export function meanColour({ width, height, data }: RgbImage): [number, number, number] {
  const sums = [0, 0, 0];
  for (let i = 0; i < data.length; i++) sums[i % 3] += data[i];
  const [r, g, b] = sums.map(sum => Math.round(sum / (width * height)));
  return [r, g, b];
}

/**
 * The picture turned about its middle, counter-clockwise, in a frame of the same size; what comes in from outside has the mean colour.
 * Bilinear, rounded; no turn changes nothing.
 * @param degrees any number
 */
export function turnPicture(image: RgbImage, degrees: number): RgbImage {
  const { width, height, data } = image;
  const ground = meanColour(image);
  const radians = (degrees * Math.PI) / 180;
  // Right angles are exact.
  const [cos, sin] = [Math.cos(radians), Math.sin(radians)].map(v => Math.round(v * 2 ** 40) / 2 ** 40);
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  const out = new Uint8Array(data.length);
  const at = (x: number, y: number, c: number): number =>
    x < 0 || y < 0 || x >= width || y >= height ? ground[c] : data[(y * width + x) * 3 + c];
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const fromX = cx + (x - cx) * cos - (y - cy) * sin;
      const fromY = cy + (x - cx) * sin + (y - cy) * cos;
      const [left, top] = [Math.floor(fromX), Math.floor(fromY)];
      const [u, v] = [fromX - left, fromY - top];
      for (let c = 0; c < 3; c++, to++) {
        const above = at(left, top, c) * (1 - u) + at(left + 1, top, c) * u;
        const below = at(left, top + 1, c) * (1 - u) + at(left + 1, top + 1, c) * u;
        out[to] = Math.round(above * (1 - v) + below * v);
      }
    }
  }
  return { width, height, data: out };
}

/** The picture squeezed to `width` x `height` (at most its own size), in the middle of a frame of the old size and of its mean colour. */
export function squeezePicture(image: RgbImage, width: number, height: number): RgbImage {
  const small = resizeImage(image, width, height, 'bicubic');
  const ground = meanColour(image);
  const data = image.data.map((_, i) => ground[i % 3]);
  const left = Math.floor((image.width - width) / 2);
  const top = Math.floor((image.height - height) / 2);
  for (let y = 0; y < height; y++) data.set(small.data.subarray(y * width * 3, (y + 1) * width * 3), ((top + y) * image.width + left) * 3);
  return { width: image.width, height: image.height, data };
}

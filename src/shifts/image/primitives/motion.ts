/** @file Blur along a line, as imagecorruptions does it: shifted copies under half a Gaussian. */
import { clampIndex, type FloatImage } from './float-image.ts';

/**
 * Sums 2 · radius + 1 copies of the picture, each one pixel farther along `angle`, with the weights of a Gaussian's right half. Beyond the
 * edges the edge pixel goes on. (The original stops adding, and darkens, where the way is longer than the picture; here the edge goes on.)
 * @param radius whole number of pixels @param sigma in pixels, > 0 @param angle in degrees, 0 is to the left
 */
export function motionSmooth(image: FloatImage, radius: number, sigma: number, angle: number): FloatImage {
  const { width, height, channels, data } = image;
  const count = 2 * radius + 1;
  const weights = Array.from({ length: count }, (_, i) => Math.exp((-i * i) / (2 * sigma * sigma)));
  const total = weights.reduce((a, b) => a + b, 0);
  const radians = (angle * Math.PI) / 180;
  // The way's end over its length, not the angle's own sine: at -30 degrees, where steps end on halves, the last bit decides.
  const [down, across] = [count * Math.sin(radians), count * Math.cos(radians)];
  const long = Math.hypot(down, across);
  const out = new Float64Array(data.length);
  const columns = new Int32Array(width);
  for (let i = 0; i < count; i++) {
    const dy = -Math.ceil((i * down) / long - 0.5);
    const dx = -Math.ceil((i * across) / long - 0.5);
    const weight = weights[i] / total;
    for (let x = 0; x < width; x++) columns[x] = clampIndex(x - dx, width) * channels;
    for (let y = 0, to = 0; y < height; y++) {
      const row = clampIndex(y - dy, height) * width * channels;
      for (let x = 0; x < width; x++) {
        const from = row + columns[x];
        for (let c = 0; c < channels; c++, to++) out[to] += weight * data[from + c];
      }
    }
  }
  return { width, height, channels, data: out };
}

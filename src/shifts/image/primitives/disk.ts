/** @file The kernel of a lens out of focus: a disk whose stairs are smoothed, and its application. */
import { type FloatImage, reflect101 } from './float-image.ts';

/** A square of weights, `side` x `side`. */
export interface Kernel {
  readonly side: number;
  readonly weights: Float64Array;
}

/**
 * A disk of weights with sum 1, smoothed by a Gaussian of `aliasBlur` pixels (3 x 3, or 5 x 5 from radius 9) that mirrors at the square's
 * edge and is not normalised again: where the disk touches the edge the sum exceeds 1 by up to 1.3 %, as published.
 * @param radius in pixels, may be a fraction
 */
export function diskKernel(radius: number, aliasBlur: number): Kernel {
  const half = radius <= 8 ? 8 : Math.ceil(radius);
  const side = 2 * half + 1;
  const disk = new Float64Array(side * side);
  for (let y = -half, i = 0; y <= half; y++) for (let x = -half; x <= half; x++, i++) disk[i] = x * x + y * y <= radius * radius ? 1 : 0;
  const count = disk.reduce((a, b) => a + b, 0);
  const reach = radius <= 8 ? 1 : 2;
  const blur = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp((-0.5 * (i - reach) ** 2) / aliasBlur ** 2));
  const total = blur.reduce((a, b) => a + b, 0);
  const weights = new Float64Array(side * side);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      let value = 0;
      for (let dy = -reach; dy <= reach; dy++)
        for (let dx = -reach; dx <= reach; dx++)
          value += blur[dy + reach] * blur[dx + reach] * disk[reflect101(y + dy, side) * side + reflect101(x + dx, side)];
      // Published in single precision, whose rounding shows once the picture is cut to whole numbers.
      weights[y * side + x] = Math.fround(value / (total * total * count));
    }
  return { side, weights };
}

/** Weighted sums over every pixel's neighbourhood (correlation, OpenCV's `filter2D`), mirrored beyond the edges. */
export function filterPicture(image: FloatImage, { side, weights }: Kernel): FloatImage {
  const { width, height, channels, data } = image;
  const half = (side - 1) / 2;
  const wide = (width + 2 * half) * channels;
  const padded = new Float64Array(wide * (height + 2 * half));
  for (let y = 0, to = 0; y < height + 2 * half; y++) {
    const row = reflect101(y - half, height) * width;
    for (let x = 0; x < width + 2 * half; x++) {
      const from = (row + reflect101(x - half, width)) * channels;
      for (let c = 0; c < channels; c++) padded[to++] = data[from + c];
    }
  }
  const out = new Float64Array(data.length);
  const line = width * channels;
  for (let k = 0; k < weights.length; k++) {
    const weight = weights[k];
    if (weight === 0) continue;
    const offset = Math.floor(k / side) * wide + (k % side) * channels;
    for (let y = 0, to = 0; y < height; y++)
      for (let i = 0, from = offset + y * wide; i < line; i++, from++, to++) out[to] += weight * padded[from];
  }
  return { width, height, channels, data: out };
}

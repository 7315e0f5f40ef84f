/** @file Gaussian smoothing as `scipy.ndimage.gaussian_filter` does it: a sampled, normalised kernel along each axis. */
import { clampIndex, type FloatImage, reflectHalf } from './float-image.ts';

/** Weights of a Gaussian at whole distances up to `truncate` sigmas (`int(truncate * sigma + 0.5)`), summing to 1; index 0 is the far left. */
export function gaussianKernel(sigma: number, truncate: number): Float64Array {
  const radius = Math.floor(truncate * sigma + 0.5);
  const kernel = new Float64Array(2 * radius + 1);
  if (radius === 0) return kernel.fill(1);
  let total = 0;
  for (let i = -radius; i <= radius; i++) total += kernel[i + radius] = Math.exp((-0.5 * i * i) / (sigma * sigma));
  return kernel.map(v => v / total);
}

function along(image: FloatImage, kernel: Float64Array, axis: 'x' | 'y', outside: (i: number, n: number) => number): FloatImage {
  const { width, height, channels, data } = image;
  const radius = (kernel.length - 1) / 2;
  const out = new Float64Array(data.length);
  const length = axis === 'x' ? width : height;
  const step = axis === 'x' ? channels : width * channels;
  const from = Array.from({ length: length + 2 * radius }, (_, i) => outside(i - radius, length) * step);
  const lines = axis === 'x' ? height : width;
  const lineStep = axis === 'x' ? width * channels : channels;
  for (let line = 0; line < lines; line++) {
    for (let c = 0; c < channels; c++) {
      const base = line * lineStep + c;
      for (let i = 0; i < length; i++) {
        let total = 0;
        for (let k = 0; k < kernel.length; k++) total += kernel[k] * data[base + from[i + k]];
        out[base + i * step] = total;
      }
    }
  }
  return { width, height, channels, data: out };
}

/** How the picture goes on beyond its edges: the edge pixel repeated, or mirrored about the edge. */
export type Outside = 'nearest' | 'reflect';

/**
 * Smooths every channel. A sigma of 0 changes nothing.
 * @param sigma in pixels, one for both axes or [down, across] @param truncate where the kernel ends, in sigmas; skimage's default is 4
 */
export function gaussianSmooth(
  image: FloatImage,
  sigma: number | readonly [number, number],
  outside: Outside = 'nearest',
  truncate = 4,
): FloatImage {
  const [down, across] = typeof sigma === 'number' ? [sigma, sigma] : sigma;
  const beyond = outside === 'nearest' ? clampIndex : reflectHalf;
  const middle = down > 0 ? along(image, gaussianKernel(down, truncate), 'y', beyond) : image;
  return across > 0 ? along(middle, gaussianKernel(across, truncate), 'x', beyond) : middle;
}

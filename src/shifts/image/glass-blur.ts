/** @file glass_blur: seen through frosted glass. */
import { atSeverity, type ImageShift, lengthScale } from '../shift.ts';
import { toBytes, toFloat } from './primitives/float-image.ts';
import { gaussianSmooth } from './primitives/gaussian.ts';
import { IMAGENET_C } from './primitives/sources.ts';

/** Sigma in pixels, farthest neighbour in pixels, rounds. */
const GLASS = [
  [0.7, 1, 2],
  [0.9, 2, 1],
  [1, 2, 3],
  [1.1, 3, 2],
  [1.5, 4, 2],
] as const;

/**
 * Smoothed, every pixel replaced by a neighbour up to `far` pixels away, from the lower right to the upper left, smoothed again. The
 * original means to swap the two pixels, but its NumPy views make a copy of it; this one copies too, over the whole picture.
 */
export const glassBlur: ImageShift = {
  name: 'glass_blur',
  modality: 'image',
  severities: 5,
  summary: 'Smooths, replaces pixels by near neighbours, and smooths again, as frosted glass does.',
  constants: `sigma ${GLASS.map(g => g[0]).join(', ')}; reach ${GLASS.map(g => g[1]).join(', ')} pixels; rounds ${GLASS.map(g => g[2]).join(', ')}`,
  scaled: 'sigma and reach (at least 1)',
  source: IMAGENET_C,
  random: true,
  apply(image, severity, reader, options) {
    const [sigma, reach, rounds] = atSeverity('glass_blur', severity, GLASS);
    const scale = lengthScale(image, options);
    const far = Math.max(1, Math.round(reach * scale));
    // MM_Robustness lets its loops' variables overwrite the sides that they count from: of the upper left 224 x 224 one row is moved, once.
    const rowOnly = options?.compat === 'mm-robustness';
    const shuffled = toBytes(gaussianSmooth(toFloat(image), sigma * scale));
    const { width, data } = shuffled;
    const [right, bottom] = rowOnly ? [Math.min(224, width), Math.min(224, shuffled.height)] : [width, shuffled.height];
    for (let round = 0; round < (rowOnly ? 1 : rounds); round++) {
      for (let y = bottom - far; y > (rowOnly ? Math.max(far, bottom - far - 1) : far); y--) {
        for (let x = right - far; x > far; x--) {
          const from = x - far + reader.integer(2 * far);
          const row = y - far + reader.integer(2 * far);
          data.copyWithin((y * width + x) * 3, (row * width + from) * 3, (row * width + from) * 3 + 3);
        }
      }
    }
    return toBytes(gaussianSmooth(toFloat(shuffled), sigma * scale));
  },
};

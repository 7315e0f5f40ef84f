/** @file snow. */
import { atSeverity, type ImageShift, lengthScale } from '../shift.ts';
import { toBytes, toFloat } from './primitives/float-image.ts';
import { motionSmooth } from './primitives/motion.ts';
import { IMAGENET_C } from './primitives/sources.ts';
import { clippedZoom, crop } from './primitives/zoom.ts';

/** Mean and deviation of the flakes' noise, its enlargement, threshold, radius and sigma of their fall, and the picture's share. */
const SNOWS = [
  [0.1, 0.3, 3, 0.5, 10, 4, 0.8],
  [0.2, 0.3, 2, 0.5, 12, 4, 0.7],
  [0.55, 0.3, 4, 0.9, 12, 8, 0.7],
  [0.55, 0.3, 4.5, 0.85, 12, 8, 0.65],
  [0.55, 0.3, 2.5, 0.85, 12, 12, 0.55],
] as const;

/** Noise, enlarged, cut below a threshold and smeared downwards, twice (once turned by 180°), over a whitened picture. */
export const snow: ImageShift = {
  name: 'snow',
  modality: 'image',
  severities: 5,
  summary: 'Whitens the picture and lays streaks of flakes over it.',
  constants: `flakes' mean ${SNOWS.map(s => s[0]).join(', ')}; enlargement ${SNOWS.map(s => s[2]).join(', ')}; threshold ${SNOWS.map(s => s[3]).join(', ')}; fall's radius ${SNOWS.map(s => s[4]).join(', ')} and sigma ${SNOWS.map(s => s[5]).join(', ')}; picture's share ${SNOWS.map(s => s[6]).join(', ')}`,
  scaled: "the flakes' enlargement (at least 1), and radius (rounded up) and sigma of their fall",
  source: IMAGENET_C,
  random: true,
  apply(image, severity, reader, options) {
    const [mean, deviation, zoom, threshold, radius, sigma, share] = atSeverity('snow', severity, SNOWS);
    const scale = lengthScale(image, options);
    const { width, height } = image;
    const noise = Float64Array.from({ length: width * height }, () => mean + deviation * reader.normal());
    const zoomed = clippedZoom({ width, height, channels: 1, data: noise }, Math.max(1, zoom * scale));
    const flakes = { ...zoomed, data: zoomed.data.map(v => (v < threshold ? 0 : Math.min(1, Math.max(0, v)))) };
    const fallen = motionSmooth(flakes, Math.ceil(radius * scale), sigma * scale, reader.uniform(-135, -45));
    const layer = crop(fallen, width, height).data.map(v => Math.round(v * 255) / 255);
    const picture = toFloat(image);
    // MM_Robustness takes blue for red.
    const [red, blue] = options?.compat === 'mm-robustness' ? [0.114, 0.299] : [0.299, 0.114];
    const { data } = picture;
    for (let i = 0; i < layer.length; i++) {
      const grey = red * data[i * 3] + 0.587 * data[i * 3 + 1] + blue * data[i * 3 + 2];
      for (let c = i * 3; c < i * 3 + 3; c++)
        data[c] = share * data[c] + (1 - share) * Math.max(data[c], grey * 1.5 + 0.5) + layer[i] + layer[layer.length - 1 - i];
    }
    return toBytes(picture);
  },
};

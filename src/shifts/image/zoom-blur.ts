/** @file zoom_blur: a camera that moves towards its subject while the shutter is open. */
import { atSeverity, type Compatible, type ImageShift } from '../shift.ts';
import { toBytes, toFloat } from './primitives/float-image.ts';
import { IMAGENET_C } from './primitives/sources.ts';
import { clippedZoom } from './primitives/zoom.ts';

/** Step between zooms and their number: what `np.arange(1, 1.11, 0.01)` and its sisters give, whose ends floating point decides. */
const ZOOMS = [
  [0.01, 12],
  [0.01, 16],
  [0.02, 11],
  [0.02, 13],
  [0.03, 11],
] as const;

/** The zoom factors of a severity, 1 first. @param compat see `COMPATIBLE` */
export function zoomFactors(severity: number, compat?: Compatible): number[] {
  const [step, most] = atSeverity('zoom_blur', severity, ZOOMS);
  // MM_Robustness goes on to 1.33.
  const count = compat === 'mm-robustness' && severity === 5 ? most + 1 : most;
  // numpy multiplies the difference of the first two, not the step.
  const delta = 1 + step - 1;
  return Array.from({ length: count }, (_, i) => 1 + i * delta);
}

/** The mean of the picture and of its zooms; factor 1 is among them, so the picture counts twice. */
export const zoomBlur: ImageShift = {
  name: 'zoom_blur',
  modality: 'image',
  severities: 5,
  moves: true,
  summary: 'Averages the picture with enlargements of its middle.',
  constants: `largest enlargement ${ZOOMS.map((_, i) =>
    zoomFactors(i + 1)
      .at(-1)!
      .toFixed(2),
  ).join(', ')}`,
  scaled: '',
  source: IMAGENET_C,
  random: false,
  apply(image, severity, _reader, { compat } = {}) {
    const factors = zoomFactors(severity, compat);
    const picture = toFloat(image);
    const { width, height, channels } = picture;
    const total = picture.data.slice();
    for (const factor of factors) {
      const zoomed = clippedZoom(picture, factor);
      // Where a zoom is larger by a pixel or so, its corner is taken; by MM_Robustness its middle.
      const [top, left] = compat === 'mm-robustness' ? [(zoomed.height - height) >> 1, (zoomed.width - width) >> 1] : [0, 0];
      for (let y = 0, to = 0; y < height; y++)
        for (let i = 0, from = ((y + top) * zoomed.width + left) * channels; i < width * channels; i++, to++)
          total[to] += zoomed.data[from + i];
    }
    return toBytes({ width, height, channels, data: total.map(v => v / (factors.length + 1)) });
  },
};

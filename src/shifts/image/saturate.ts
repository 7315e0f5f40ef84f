/** @file saturate: colours too pale or too strong. */
import { atSeverity, type ImageShift } from '../shift.ts';
import { mapSaturationValue } from './primitives/hsv.ts';
import { IMAGENET_C_EXTRA } from './primitives/sources.ts';

const LINES = [
  [0.3, 0],
  [0.1, 0],
  [2, 0],
  [5, 0.1],
  [20, 0.2],
] as const;

/** HSV saturation · a + b; hue and value stay. */
export const saturate: ImageShift = {
  name: 'saturate',
  modality: 'image',
  severities: 5,
  summary: 'Takes colour away (severities 1 and 2) or drives it up (3 to 5; greys turn red at 4 and 5, as published).',
  constants: `saturation x ${LINES.map(([a, b]) => (b ? `${a} + ${b}` : a)).join(', ')}`,
  scaled: '',
  source: IMAGENET_C_EXTRA,
  random: false,
  apply(image, severity) {
    const [factor, added] = atSeverity('saturate', severity, LINES);
    return mapSaturationValue(image, (s, v) => [s * factor + added, v]);
  },
};

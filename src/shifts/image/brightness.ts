/** @file brightness. */
import { atSeverity, type ImageShift } from '../shift.ts';
import { mapSaturationValue } from './primitives/hsv.ts';
import { IMAGENET_C } from './primitives/sources.ts';

const ADDED = [0.1, 0.2, 0.3, 0.4, 0.5];

/** HSV value + c; hue and saturation stay. */
export const brightness: ImageShift = {
  name: 'brightness',
  modality: 'image',
  severities: 5,
  summary: 'Raises the value of every colour (HSV); hue and saturation stay.',
  constants: `value + ${ADDED.join(', ')}`,
  scaled: '',
  source: IMAGENET_C,
  random: false,
  apply(image, severity) {
    const added = atSeverity('brightness', severity, ADDED);
    return mapSaturationValue(image, (s, v) => [s, v + added]);
  },
};

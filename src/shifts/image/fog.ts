/** @file fog. */
import { atSeverity, type ImageShift } from '../shift.ts';
import { mapPicture } from './primitives/float-image.ts';
import { plasmaFractal } from './primitives/plasma.ts';
import { IMAGENET_C } from './primitives/sources.ts';

/** Thickness, and how fast small clouds die out. */
const FOGS = [
  [1.5, 2],
  [2, 2],
  [2.5, 1.7],
  [2.5, 1.5],
  [3, 1.4],
] as const;

/** (y + c · cloud) · max / (max + c), where max is the picture's largest value. */
export const fog: ImageShift = {
  name: 'fog',
  modality: 'image',
  severities: 5,
  summary: 'Lays a random cloud (diamond–square) over the picture and darkens both to the old range.',
  constants: `thickness ${FOGS.map(f => f[0]).join(', ')}; decay ${FOGS.map(f => f[1]).join(', ')}`,
  scaled: '',
  source: IMAGENET_C,
  random: true,
  apply(image, severity, reader, options) {
    const [thickness, decay] = atSeverity('fog', severity, FOGS);
    const { width, height, data } = image;
    // MM_Robustness: one size for all pictures.
    const least = options?.compat === 'mm-robustness' ? 1024 : 2;
    const size = 2 ** Math.ceil(Math.log2(Math.max(width, height, least)));
    const cloud = plasmaFractal(size, decay, reader);
    const brightest = data.reduce((a, b) => Math.max(a, b), 0) / 255;
    return mapPicture(image, (v, i) => {
      const pixel = Math.floor(i / 3);
      const height = cloud[Math.floor(pixel / width) * size + (pixel % width)];
      return ((v + thickness * height) * brightest) / (brightest + thickness);
    });
  },
};

/** @file elastic_transform: the picture as on a sheet of rubber. */
import { atSeverity, type ImageShift, lengthScale } from '../shift.ts';
import { type FloatImage, reflectHalf, toBytes, toFloat } from './primitives/float-image.ts';
import { gaussianSmooth } from './primitives/gaussian.ts';

const STRENGTHS = [12.5, 16.25, 21.25, 25, 30];

/** Value at a fractional place, bilinear, mirrored beyond the edges. */
function sample(image: FloatImage, x: number, y: number, out: Float64Array, to: number): void {
  const { width, height, channels, data } = image;
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  for (let dy = 0; dy < 2; dy++) {
    const row = reflectHalf(y0 + dy, height) * width;
    const v = dy ? y - y0 : 1 - (y - y0);
    for (let dx = 0; dx < 2; dx++) {
      const weight = v * (dx ? x - x0 : 1 - (x - x0));
      const from = (row + reflectHalf(x0 + dx, width)) * channels;
      for (let c = 0; c < channels; c++) out[to + c] += weight * data[from + c];
    }
  }
}

/** Displacements of up to 0.5 % of the height, smoothed with a sigma of 1 % of each side, times the strength; read bilinearly. */
export const elasticTransform: ImageShift = {
  name: 'elastic_transform',
  modality: 'image',
  severities: 5,
  summary: 'Moves the pixels by a smooth random field.',
  constants: `smoothed displacements x ${STRENGTHS.join(', ')}`,
  scaled: 'displacements, which as published are as many pixels in a small picture as in a large one',
  source: 'imagecorruptions (Michaelis et al., 2019): its form for pictures of any size, relative to them and without the affine part',
  random: true,
  apply(image, severity, reader, options) {
    const strength = atSeverity('elastic_transform', severity, STRENGTHS) * lengthScale(image, options);
    const { width, height } = image;
    const most = height * 0.005;
    const field = (): Float64Array => {
      const data = Float64Array.from({ length: width * height }, () => reader.uniform(-most, most));
      return gaussianSmooth({ width, height, channels: 1, data }, [height * 0.01, width * 0.01], 'reflect', 3).data;
    };
    const dx = field();
    const dy = field();
    const picture = toFloat(image);
    const out = new Float64Array(picture.data.length);
    for (let y = 0, i = 0; y < height; y++)
      for (let x = 0; x < width; x++, i++) sample(picture, x + dx[i] * strength, y + dy[i] * strength, out, i * 3);
    return toBytes({ ...picture, data: out });
  },
};

/** @file spatter: drops of water or splashes of mud on the lens. */
import type { RandomReader } from '../../tensor/random.ts';
import { atSeverity, type ImageShift } from '../shift.ts';
import { cannyEdges, distances } from './primitives/edges.ts';
import { type FloatImage, toBytes, toFloat } from './primitives/float-image.ts';
import { gaussianSmooth } from './primitives/gaussian.ts';
import { equalizeHistogram, filter3, type Grey, mean3 } from './primitives/grey.ts';
import { IMAGENET_C_EXTRA } from './primitives/sources.ts';

/** Mean and deviation of the noise, sigma of its smoothing, threshold, strength of the water or sigma of the mud's edge, and which it is. */
const SPATTERS = [
  [0.65, 0.3, 4, 0.69, 0.6, 'water'],
  [0.65, 0.3, 3, 0.68, 0.6, 'water'],
  [0.65, 0.3, 2, 0.68, 0.5, 'water'],
  [0.65, 0.3, 1, 0.65, 1.5, 'mud'],
  [0.67, 0.4, 1, 0.65, 1.5, 'mud'],
] as const;

/** Pale turquoise, and brown. */
const COLOURS = { water: [175, 238, 238], mud: [63, 42, 20] } as const;
const WORDS = { water: 'strength of the water', mud: "sigma of the mud's edge" } as const;
/** Weights that light the drops' edges from one side. */
const RELIEF = [-2, -1, 0, -1, 1, 1, 0, 1, 2];
const FARTHEST = 20;

/**
 * The light on drops: how far every pixel is from the drops' edges, evened out, lit from one side and smoothed.
 * @param layer thickness of the liquid as bytes @returns bytes
 */
export function waterLight(layer: Grey): Uint8Array {
  const way = distances({ ...layer, data: cannyEdges(layer, 50, 150) });
  for (let i = 0; i < way.length; i++) if (way[i] > FARTHEST) way[i] = FARTHEST;
  // Typed arrays made of others cut, round to single precision and clamp without a call for every pixel.
  const near = new Uint8Array(new Float32Array(mean3({ ...layer, data: way })));
  const lit = new Uint8ClampedArray(filter3(equalizeHistogram({ ...layer, data: near }), RELIEF));
  return new Uint8Array(new Uint8ClampedArray(mean3({ ...layer, data: new Uint8Array(lit.buffer) })));
}

function water({ width, height, data }: FloatImage, strength: number): Float64Array {
  const bytes = new Uint8Array(data.map(v => v * 255));
  const light = waterLight({ width, height, data: bytes });
  const mask = new Float64Array(bytes).map((v, i) => v * light[i]);
  const most = mask.reduce((a, b) => Math.max(a, b), 0);
  return most > 0 ? mask.map(v => (v / most) * strength) : mask;
}

/** Smoothed noise above a threshold; its edges shine (water, added to the picture), or it covers the picture (mud). */
export const spatter: ImageShift = {
  name: 'spatter',
  modality: 'image',
  severities: 5,
  summary: 'Splashes water (severities 1 to 3) or mud (4 and 5) over the picture.',
  constants: `noise of mean ${SPATTERS.map(s => s[0]).join(', ')} and deviation ${SPATTERS.map(s => s[1]).join(', ')}, smoothed with sigma ${SPATTERS.map(s => s[2]).join(', ')} pixels; threshold ${SPATTERS.map(s => s[3]).join(', ')}; ${(
    ['water', 'mud'] as const
  )
    .map(
      kind =>
        `${WORDS[kind]} ${SPATTERS.filter(s => s[5] === kind)
          .map(s => s[4])
          .join(', ')}`,
    )
    .join('; ')}`,
  scaled: '',
  source: IMAGENET_C_EXTRA,
  random: true,
  apply(image, severity, reader: RandomReader) {
    const [mean, deviation, sigma, threshold, last, kind] = atSeverity('spatter', severity, SPATTERS);
    const { width, height } = image;
    const noise = new Float64Array(width * height);
    for (let i = 0; i < noise.length; i++) noise[i] = mean + deviation * reader.normal();
    const liquid = gaussianSmooth({ width, height, channels: 1, data: noise }, sigma);
    const layer = { ...liquid, data: liquid.data.map(v => (v < threshold ? 0 : Math.min(1, v))) };
    const picture = toFloat(image);
    const { data } = picture;
    if (kind === 'water') {
      const mask = water(layer, last);
      for (let i = 0; i < data.length; i++) data[i] += (mask[Math.trunc(i / 3)] * COLOURS.water[i % 3]) / 255;
    } else {
      const cover = gaussianSmooth({ ...layer, data: layer.data.map(v => (v > threshold ? 1 : 0)) }, last).data;
      for (let i = 0; i < data.length; i++) {
        const m = cover[Math.trunc(i / 3)];
        if (m >= 0.8) data[i] = data[i] * (1 - m) + (m * COLOURS.mud[i % 3]) / 255;
      }
    }
    return toBytes(picture);
  },
};

/** @file mirror: a picture the wrong way round, as a whole or in parts. */
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { atSeverity, type ImageShift } from '../shift.ts';
import { OURS } from './primitives/place.ts';

/** Left and right exchanged, top and bottom exchanged, and in how many parts along each side. */
const MIRRORS = [
  [true, false, 1],
  [false, true, 1],
  [true, true, 1],
  [true, true, 2],
  [true, true, 4],
] as const;

/** Where every place of a side comes from: each of `parts` runs is turned round in itself. */
function places(side: number, parts: number, turn: boolean): number[] {
  const ends = Array.from({ length: parts + 1 }, (_, i) => Math.floor((i * side) / parts));
  return Array.from({ length: side }, (_, i) => {
    if (!turn) return i;
    const part = ends.findLastIndex(end => end <= i);
    return ends[part] + ends[part + 1] - 1 - i;
  });
}

function mirrored({ width, height, data }: RgbImage, columns: readonly number[], rows: readonly number[]): RgbImage {
  const out = new Uint8Array(data.length);
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++, to += 3) {
      const from = (rows[y] * width + columns[x]) * 3;
      out.set(data.subarray(from, from + 3), to);
    }
  return { width, height, data: out };
}

/** Twice the same is the picture again, at every severity. */
export const mirror: ImageShift = {
  name: 'mirror',
  modality: 'image',
  severities: 5,
  moves: true,
  summary: 'Mirrors the picture or parts of it: no pixel changes, only its place does.',
  constants: 'left and right; top and bottom; both; both in each quarter; both in each of 4 x 4 parts',
  scaled: '',
  source: OURS,
  random: false,
  apply(image, severity) {
    const [across, down, parts] = atSeverity('mirror', severity, MIRRORS);
    return mirrored(image, places(image.width, parts, across), places(image.height, parts, down));
  },
};

/** @file Resizing by the area that each new pixel covers of the old ones, as OpenCV's INTER_AREA does it; only MM_Robustness needs it. */
import type { RgbImage } from '../../../inputs/image/rgb-image.ts';

/** Old places with shares that sum to 1. */
type Parts = readonly (readonly [place: number, share: number])[];

/** For each new place, the old ones that it covers. */
function covered(from: number, to: number): Parts[] {
  const size = from / to;
  return Array.from({ length: to }, (_, i) => {
    const [start, end] = [i * size, (i + 1) * size];
    const parts: [number, number][] = [];
    for (let p = Math.floor(start + 1e-9); p < Math.min(from, end - 1e-9); p++)
      parts.push([p, (Math.min(end, p + 1) - Math.max(start, p)) / size]);
    return parts;
  });
}

/** The two old places that OpenCV mixes as soon as one side of the picture grows: their areas where this side grows, a sample where it shrinks. */
function mixed(from: number, to: number): Parts[] {
  return Array.from({ length: to }, (_, i) => {
    const place = Math.min(from - 1, Math.floor((i * from) / to));
    const over = i + 1 - ((place + 1) * to) / from;
    const share = over <= 0 ? 0 : over - Math.floor(over);
    return [
      [place, 1 - share],
      [Math.min(from - 1, place + 1), share],
    ] as const;
  });
}

/** A picture of `width` x `height`; rounded, up to 1 from OpenCV's bytes. */
export function resizeByArea(image: RgbImage, width: number, height: number): RgbImage {
  const shares = width > image.width || height > image.height ? mixed : covered;
  const columns = shares(image.width, width);
  const rows = shares(image.height, height);
  const out = new Uint8Array(width * height * 3);
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++, to++) {
        let total = 0;
        for (const [row, v] of rows[y])
          for (const [column, u] of columns[x]) total += u * v * image.data[(row * image.width + column) * 3 + c];
        out[to] = Math.round(total);
      }
  return { width, height, data: out };
}

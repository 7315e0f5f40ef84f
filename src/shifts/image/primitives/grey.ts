/** @file Grey pictures of bytes under small filters, as OpenCV does them: means, weights of 3 x 3, an even histogram. Mirrored beyond the edges. */
import { reflect101 } from './float-image.ts';

/** One number per pixel, row by row. */
export interface Grey<T extends Uint8Array | Float32Array | Float64Array = Uint8Array> {
  readonly width: number;
  readonly height: number;
  readonly data: T;
}

/** Weighted sums over every pixel and its eight neighbours (correlation). @param weights nine numbers, row by row */
export function filter3(image: Grey<Uint8Array | Float32Array>, weights: readonly number[]): Float64Array {
  const { width, height, data } = image;
  const out = new Float64Array(data.length);
  const columns = [-1, 0, 1].map(d => Int32Array.from({ length: width }, (_, x) => reflect101(x + d, width)));
  for (let k = 0; k < 9; k++) {
    const [weight, from] = [weights[k], columns[k % 3]];
    if (weight === 0) continue;
    for (let y = 0, to = 0; y < height; y++) {
      const row = reflect101(y + Math.trunc(k / 3) - 1, height) * width;
      for (let x = 0; x < width; x++, to++) out[to] += weight * data[row + from[x]];
    }
  }
  return out;
}

const ONES = Array.from({ length: 9 }, () => 1);

/** The mean of every pixel and its eight neighbours (`cv2.blur` of 3 x 3), not rounded. */
export const mean3 = (image: Grey<Uint8Array | Float32Array>): Float64Array => filter3(image, ONES).map(sum => sum * (1 / 9));

/** Bytes whose ranks are spread over 0 to 255 (`cv2.equalizeHist`). A picture of one value stays as it is. */
export function equalizeHistogram(image: Grey): Grey {
  const { data } = image;
  const counts = new Float64Array(256);
  for (const v of data) counts[v]++;
  const first = counts.findIndex(n => n > 0);
  if (first < 0 || counts[first] === data.length) return { ...image, data: data.slice() };
  const scale = Math.fround(255 / (data.length - counts[first]));
  const table = new Uint8ClampedArray(256);
  let sum = 0;
  for (let v = first + 1; v < 256; v++) {
    sum += counts[v];
    // Clamped arrays round halves to the even number, as OpenCV does.
    table[v] = Math.fround(sum * scale);
  }
  return { ...image, data: data.map(v => table[v]) };
}

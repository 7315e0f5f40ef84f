/** @file A cloud of random heights: the diamond–square algorithm. */
import type { RandomReader } from '../../../tensor/random.ts';

/**
 * Heights in [0, 1] on a `size` x `size` torus. Each level takes means of four neighbours plus noise uniform in ± w²; w starts at 100 and is
 * divided by `decay` a level (that it enters squared is as published).
 * @param size a power of two
 */
export function plasmaFractal(size: number, decay: number, reader: RandomReader): Float64Array {
  const map = new Float64Array(size * size);
  const at = (x: number, y: number) => map[((y + size) % size) * size + ((x + size) % size)];
  let wibble = 100;
  for (let step = size; step >= 2; step /= 2, wibble /= decay) {
    const half = step / 2;
    const noisy = (total: number) => total / 4 + wibble * reader.uniform(-wibble, wibble);
    for (let y = half; y < size; y += step)
      for (let x = half; x < size; x += step)
        map[y * size + x] = noisy(at(x - half, y - half) + at(x + half, y - half) + at(x - half, y + half) + at(x + half, y + half));
    for (let y = 0; y < size; y += half)
      for (let x = y % step === 0 ? half : 0; x < size; x += step)
        map[y * size + x] = noisy(at(x, y - half) + at(x, y + half) + at(x - half, y) + at(x + half, y));
  }
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const v of map) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return high > low ? map.map(v => (v - low) / (high - low)) : map.fill(0);
}

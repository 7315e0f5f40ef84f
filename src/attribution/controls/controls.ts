/** @file Maps that look at no model: what any attribution must beat. */
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { RandomStream } from '../../tensor/random.ts';

type Grid = readonly [number, number];

/** Uniform random values, seeded. */
export function randomMap(grid: Grid, seed: number, sample: number): Float32Array {
  const reader = new RandomStream(seed, 'control.random').reader(0, sample);
  return Float32Array.from({ length: grid[0] * grid[1] }, () => reader.uniform());
}

/** A Gaussian at the centre, standard deviation a quarter of the grid. */
export function centrePrior([rows, columns]: Grid): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    const y = (Math.floor(i / columns) - (rows - 1) / 2) / (rows / 4);
    const x = ((i % columns) - (columns - 1) / 2) / (columns / 4);
    return Math.exp(-(x * x + y * y) / 2);
  });
}

/** Mean magnitude of the grey image's gradient (central differences) per patch: edge strength. */
export function gradientMagnitude(image: RgbImage, [rows, columns]: Grid): Float32Array {
  const { width, height, data } = image;
  const grey = (x: number, y: number): number => {
    const at = (Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))) * 3;
    return (data[at] + data[at + 1] + data[at + 2]) / 3;
  };
  const sums = new Float32Array(rows * columns);
  const counts = new Float32Array(rows * columns);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const patch = Math.floor((y * rows) / height) * columns + Math.floor((x * columns) / width);
      sums[patch] += Math.hypot(grey(x + 1, y) - grey(x - 1, y), grey(x, y + 1) - grey(x, y - 1)) / 2;
      counts[patch]++;
    }
  return sums.map((s, i) => s / Math.max(1, counts[i]));
}

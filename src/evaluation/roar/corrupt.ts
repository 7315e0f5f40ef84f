/**
 * @file What ROAR+ takes away: the patches or words that a map holds highest (M2IB, arXiv 2312.17174, section 5; Hooker et al., ROAR,
 * NeurIPS 2019). Patches above the percentile become the image's own mean colour; words above it leave the caption.
 */
import type { ImageAttribution } from '../../attribution/result.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { RandomStream } from '../../tensor/random.ts';

/**
 * Which values are above the percentile. Ties at the threshold would take too few or too many: the highest values are taken in order, and
 * among equals a draw decides, so that every map loses the same share.
 * @returns indices, at least one and never all
 */
export function highest(values: ArrayLike<number>, percentile: number, key: number): Set<number> {
  const count = Math.min(values.length - 1, Math.max(1, Math.round(values.length * (1 - percentile / 100))));
  const reader = new RandomStream(key, 'roar.ties').reader(0, 0);
  const order = Array.from({ length: values.length }, (_, i) => [i, reader.uniform()] as const);
  order.sort(([a, u], [b, v]) => values[b] - values[a] || u - v);
  return new Set(order.slice(0, count).map(([i]) => i));
}

/**
 * The image with the highest patches in its mean colour. @param seen a map: its patches, their rows and columns, and the part of the image that
 * they cover (see `ImageAttribution`); pixels outside of it stay @param key of the draws among equal values
 */
export function corruptImage(
  image: RgbImage,
  seen: Pick<ImageAttribution, 'patches' | 'grid' | 'view'>,
  percentile: number,
  key: number,
): RgbImage {
  const { width, height, data } = image;
  const { view } = seen;
  const [rows, columns] = seen.grid;
  const gone = highest(seen.patches, percentile, key);
  const mean = [0, 1, 2].map(c => {
    let total = 0;
    for (let i = c; i < data.length; i += 3) total += data[i];
    return Math.round(total / (width * height));
  });
  const out = data.slice();
  for (let y = 0; y < height; y++) {
    const row = Math.floor(((y + 0.5 - view.top) * rows) / view.height);
    if (row < 0 || row >= rows) continue;
    for (let x = 0; x < width; x++) {
      const column = Math.floor(((x + 0.5 - view.left) * columns) / view.width);
      if (column >= 0 && column < columns && gone.has(row * columns + column)) out.set(mean, (y * width + x) * 3);
    }
  }
  return { width, height, data: out };
}

/** The caption without its highest words. @param words with their places in the caption and values */
export function corruptCaption(
  caption: string,
  words: readonly { readonly start: number; readonly end: number; readonly value: number }[],
  percentile: number,
  key: number,
): string {
  if (words.length < 2) return caption;
  const gone = highest(
    words.map(w => w.value),
    percentile,
    key,
  );
  return words
    .filter((_, i) => !gone.has(i))
    .map(w => caption.slice(w.start, w.end))
    .join(' ');
}

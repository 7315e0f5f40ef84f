/** @file From one value per element of a source or hidden state to maps: channels reduced, pixels summed over patches. */
import { patchSize } from '../../models/process-image.ts';
import type { TokenMap, TowerJob } from '../method.ts';

/** How channels make one value: their signed sum, the sum or maximum of magnitudes, or the Euclidean norm. */
export const CHANNELS = ['sum', 'abs', 'max', 'norm'] as const;
/** One of them. */
export type ChannelRule = (typeof CHANNELS)[number];

/** Reduces C values `data[start + c * stride]`. */
function reduce(data: ArrayLike<number>, start: number, stride: number, count: number, rule: ChannelRule): number {
  let out = 0;
  for (let c = 0; c < count; c++) {
    const v = data[start + c * stride];
    if (rule === 'sum') out += v;
    else if (rule === 'abs') out += Math.abs(v);
    else if (rule === 'max') out = Math.max(out, Math.abs(v));
    else out += v * v;
  }
  return rule === 'norm' ? Math.sqrt(out) : out;
}

/** A hidden state's values of one pair, [N, D] -> [N]. */
export function tokenValues(data: ArrayLike<number>, tokens: number, rule: ChannelRule = 'sum'): Float32Array {
  const width = data.length / tokens;
  return Float32Array.from({ length: tokens }, (_, n) => reduce(data, n * width, 1, width, rule));
}

/**
 * The map of one pair from values at its source: [3, H, W] gives pixels and their sums per patch (0 for prefix tokens), [T, D] tokens.
 */
export function sourceMap(job: TowerJob, data: ArrayLike<number>, rule: ChannelRule = 'sum'): Pick<TokenMap, 'tokens' | 'pixels'> {
  if (job.modality === 'text') return { tokens: tokenValues(data, job.tokens, rule) };
  const [height, width] = job.size!;
  const plane = height * width;
  const channels = data.length / plane;
  const pixels = Float32Array.from({ length: plane }, (_, i) => reduce(data, i, plane, channels, rule));
  return { tokens: patchSums(job, pixels), pixels };
}

/** Sums of pixels [H·W] per patch, prefix tokens 0; pixels beyond the last whole patch are seen by no token. */
export function patchSums(job: TowerJob, pixels: Float32Array): Float32Array {
  const [rows, columns] = job.grid!;
  const [height, width] = job.size!;
  const edge = patchSize(job.tower);
  const sums = new Float64Array(job.tokens);
  const first = job.tokens - rows * columns;
  for (let y = 0; y < Math.min(height, rows * edge); y++)
    for (let x = 0; x < Math.min(width, columns * edge); x++)
      sums[first + Math.floor(y / edge) * columns + Math.floor(x / edge)] += pixels[y * width + x];
  return Float32Array.from(sums);
}

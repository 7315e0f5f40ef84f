/** @file Where patches are: fixed directions of a projected patch, and the numbers that it should say along them. */
import { imageTokens, type LlavaConfig } from '../../models/llava/config.ts';
import { RandomStream } from '../../tensor/random.ts';

/** Default of `PatchLossSettings.amplitude`. */
export const AMPLITUDE = 3;

/** Two orthonormal directions [2, width], the same for every run. */
export function placeDirections(width: number): Float32Array {
  const [a, b] = [0, 1].map(i => new RandomStream(0, 'patch.directions').normals(0, i, new Float32Array(width)));
  const dot = (x: Float32Array, y: Float32Array): number => x.reduce((sum, v, i) => sum + v * y[i], 0);
  const along = dot(a, b) / dot(a, a);
  const upright = b.map((v, i) => v - along * a[i]);
  const unit = (x: Float32Array): Float32Array => x.map(v => v / Math.sqrt(dot(x, x)));
  return Float32Array.of(...unit(a), ...unit(upright));
}

/** Where patches are, [N, 2]: column and row, from −amplitude to amplitude. */
export function patchPlaces(config: LlavaConfig, amplitude = AMPLITUDE): Float32Array {
  const side = Math.round(Math.sqrt(imageTokens(config)));
  const half = Math.max(1, side - 1) / 2;
  const out = new Float32Array(2 * side * side);
  for (let k = 0; k < side * side; k++)
    out.set([((k % side) / half - 1) * amplitude, (Math.floor(k / side) / half - 1) * amplitude], 2 * k);
  return out;
}

/** @file Images as rows of patches, so that a patch embedding is a matrix product. */
import { misfit, type Value } from '../value.ts';
import { reshape, slice, transpose } from './shape.ts';

/**
 * Cuts images into patches, in rows from the top left. With `weight` of a convolution [D, C, p, p] and stride p,
 * `linear(patchify(x, p), reshape(weight, [D, C*p*p]), bias)` equals that convolution, its rows and columns flattened; as there, what is
 * left over at the right and the bottom is dropped.
 * @param x [B, C, H, W] with C, H, W known when tracing
 * @returns [B, ⌊H/p⌋·⌊W/p⌋, C·p·p]
 */
export function patchify(x: Value, patchSize: number): Value {
  const [batch, channels, height, width] = x.shape;
  if (x.shape.length !== 4 || typeof channels !== 'number' || typeof height !== 'number' || typeof width !== 'number')
    throw misfit('patchify', [x], 'the input must be [batch, channels, height, width], all but the batch known when tracing.');
  const [rows, columns] = [Math.floor(height / patchSize), Math.floor(width / patchSize)];
  if (!Number.isInteger(patchSize) || patchSize < 1 || rows < 1 || columns < 1)
    throw misfit('patchify', [x], `no patch of size ${patchSize} fits.`);
  const even = slice(slice(x, 2, 0, rows * patchSize), 3, 0, columns * patchSize);
  const split = reshape(even, [batch, channels, rows, patchSize, columns, patchSize]);
  return reshape(transpose(split, [0, 2, 4, 1, 3, 5]), [batch, rows * columns, channels * patchSize * patchSize]);
}

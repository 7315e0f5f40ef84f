/** @file What one row of a tower takes of memory. */
import type { Tower } from './dual-encoder.ts';

/**
 * Bytes of intermediate values per row, about: a forward pass keeps a block's values at a time (its input, q, k, v, the four times wider
 * inner layer, attention), a backward pass keeps those of every block. A forward pass took never more than this, and more than
 * half of it (`bench/evidence/forward-memory.ts`).
 */
export function rowBytes(tower: Pick<Tower, 'width' | 'heads'>, tokens: number, blocks: number, backward: boolean): number {
  const values = tokens * tower.width * 16 + 3 * tower.heads * tokens * tokens;
  return 4 * values * (backward ? Math.max(1, blocks) : 1);
}

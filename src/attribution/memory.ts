/** @file How many rows of a batch fit into the memory that a call allows. */
import type { Tower } from '../models/dual-encoder.ts';

/** Default of `maxMemory`: 512 MiB. */
export const MAX_MEMORY = 512 * 2 ** 20;

/**
 * Bytes of intermediate values per row, about: a forward pass keeps a block's values at a time (its input, q, k, v, the four times wider
 * inner layer, attention), a backward pass keeps those of every block.
 */
export function rowBytes(tower: Tower, tokens: number, blocks: number, backward: boolean): number {
  const values = tokens * tower.width * 16 + 3 * tower.heads * tokens * tokens;
  return 4 * values * (backward ? Math.max(1, blocks) : 2);
}

/** Rows that fit, at least 1. */
export const rowsThatFit = (maxMemory: number, tower: Tower, tokens: number, blocks: number, backward: boolean): number =>
  Math.max(1, Math.floor(maxMemory / rowBytes(tower, tokens, blocks, backward)));

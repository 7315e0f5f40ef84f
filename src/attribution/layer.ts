/** @file Which block a method looks at: `auto` is the papers' depth, and a wrong number is refused with the range. */
import type { Tower } from '../models/dual-encoder.ts';
import { NarrowsError } from '../system/errors.ts';

/** Blocks above the gate in the papers: M2IB's block 9 of 12 leaves two, the last of which is read at the pooled token only. */
const BLOCKS_ABOVE = 2;

/** The last block whose output a method can use: where one token is pooled, no gradient reaches the others after the last block. */
export const lastLayer = (tower: Tower): number => tower.layers - (tower.pooling === 'attention' ? 1 : 2);

/**
 * 0-based index of the block whose output is used, -1 for the embeddings. `auto` leaves as many blocks above as the papers do: 9 of 12, 3 of 6.
 * The last block is out where a token is pooled, and can be chosen where a head attends over all (`lastLayer`).
 * @throws NarrowsError naming the range
 */
export function resolveLayer(layer: number | 'auto', tower: Tower): number {
  const last = lastLayer(tower);
  if (layer === 'auto') return Math.min(last, Math.max(0, tower.layers - 1 - BLOCKS_ABOVE));
  if (!Number.isInteger(layer) || layer < -1 || layer > last) {
    const blocks = last < 0 ? 'a single block' : `${tower.layers} blocks, so a layer from 0 to ${last} can be chosen`;
    throw new NarrowsError(
      `The layer ${layer} is out of range: the ${tower.modality} tower has ${blocks} (-1 for the embeddings, or "auto").`,
      { kind: 'usage' },
    );
  }
  return layer;
}

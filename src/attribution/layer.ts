/** @file Which block a method looks at: `auto` is the papers' depth, and a wrong number is refused with the range. */
import type { Tower } from '../models/dual-encoder.ts';
import { NarrowsError } from '../system/errors.ts';

/**
 * 0-based index of the block whose output is used, -1 for the embeddings. The papers take block 9 of 12; `auto` takes the same share of another depth.
 * The last block is out: after it the pooled token alone is read, and no gradient reaches the others.
 * @throws NarrowsError naming the range, or for a tower of one block
 */
export function resolveLayer(layer: number | 'auto', tower: Tower, share = 10 / 12): number {
  const last = tower.layers - 2;
  if (last < 0)
    throw new NarrowsError(
      `The ${tower.modality} tower has a single block, and after the last block the pooled token alone is read: no layer can be chosen.`,
    );
  if (layer === 'auto') return Math.max(0, Math.min(last, Math.round(tower.layers * share) - 1));
  if (!Number.isInteger(layer) || layer < -1 || layer > last)
    throw new NarrowsError(
      `The layer ${layer} is out of range: the ${tower.modality} tower has ${tower.layers} blocks, so a layer from 0 to ${last} can be chosen (-1 for the embeddings, or "auto").`,
      { kind: 'usage' },
    );
  return layer;
}

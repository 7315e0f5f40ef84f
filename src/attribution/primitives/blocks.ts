/** @file Which blocks a method reads: counts from the end and single blocks, refused with the range where a tower has none such. */
import { z } from 'zod';
import type { Tower } from '../../models/dual-encoder.ts';
import { NarrowsError } from '../../system/errors.ts';

/** An option that counts blocks from the end of a tower. */
export const blockCount = z.union([z.literal('auto'), z.number().int()]);

/**
 * How many of a tower's last blocks are read.
 * @param auto what `auto` means; a tower of fewer blocks gives all it has
 * @throws NarrowsError naming the range
 */
export function lastBlocks(count: number | 'auto', auto: number, tower: Tower): number {
  if (count === 'auto') return Math.max(1, Math.min(auto, tower.layers));
  if (Number.isInteger(count) && count >= 1 && count <= tower.layers) return count;
  throw new NarrowsError(
    `${count} blocks cannot be read: the ${tower.modality} tower has ${tower.layers}, so a number from 1 to ${tower.layers} (or "auto").`,
    { kind: 'usage' },
  );
}

/** A block's 0-based number. @throws NarrowsError naming the range */
export function oneBlock(block: number | 'last', tower: Tower): number {
  if (block === 'last') return tower.layers - 1;
  if (Number.isInteger(block) && block >= 0 && block < tower.layers) return block;
  throw new NarrowsError(
    `The block ${block} is out of range: the ${tower.modality} tower has ${tower.layers}, so a number from 0 to ${tower.layers - 1} can be chosen.`,
    { kind: 'usage' },
  );
}

/** @file How many rows of a batch fit into the memory that a call allows. */
import type { Tower } from '../models/dual-encoder.ts';
import { rowBytes } from '../models/row-bytes.ts';
import { NarrowsError } from '../system/errors.ts';
import { formatBytes } from '../system/format.ts';

/** Default of `maxMemory`: 512 MiB, where a row fits into it. */
export const MAX_MEMORY = 512 * 2 ** 20;

/**
 * How many rows of `bytes` fit. Under the default limit one row always runs, whatever it takes; a limit that somebody chose holds.
 * @param what takes the memory, in words @throws NarrowsError where not even one fits
 */
export function fittingRows(maxMemory: number, bytes: number, what: string): number {
  if (bytes > maxMemory && maxMemory !== MAX_MEMORY)
    throw new NarrowsError(
      `${what} takes about ${formatBytes(bytes)} of memory, more than the ${formatBytes(maxMemory)} that --max-memory (maxMemory in the library) allows; raise it, or take a smaller image size.`,
    );
  return Math.max(1, Math.floor(maxMemory / bytes));
}

/** Rows of a tower that fit. @throws NarrowsError as `fittingRows` */
export const rowsThatFit = (maxMemory: number, tower: Tower, tokens: number, blocks: number, backward: boolean): number =>
  fittingRows(
    maxMemory,
    rowBytes(tower, tokens, blocks, backward),
    `One ${backward ? 'backward' : 'forward'} pass of the ${tower.modality} tower over ${tokens} tokens`,
  );

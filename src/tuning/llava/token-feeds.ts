/** @file Rows of ids and labels as the inputs of a training graph. */
import { supervisedCount } from '../../inputs/chat/encode-chat.ts';
import type { LlavaConfig } from '../../models/llava/config.ts';
import { placementFeeds } from '../../models/llava/model.ts';
import { placeImages } from '../../models/llava/placement.ts';
import { ints, type Tensor } from '../../tensor/tensor.ts';

/** Ids of a conversation and which of them are supervised: labels are the ids, or −100. */
export interface EncodedTurns {
  readonly ids: readonly number[];
  readonly labels: readonly number[];
}

/** The next-token loss needs a token and the one behind it. */
const SHORTEST = 2;

/** Rows padded behind to the longest, [rows, T]: tokens with their images placed, and `labels`. @param images in all rows together */
export function tokenFeeds(config: LlavaConfig, rows: readonly EncodedTurns[], images: number): Record<string, Tensor> {
  const length = Math.max(SHORTEST, ...rows.map(r => r.ids.length));
  const shape = [rows.length, length];
  const [ids, mask, labels] = [0, 0, -100].map(value => new Int32Array(rows.length * length).fill(value));
  rows.forEach((row, b) => {
    ids.set(row.ids, b * length);
    mask.fill(1, b * length, b * length + row.ids.length);
    labels.set(row.labels, b * length);
  });
  return { ...placementFeeds(placeImages(config, ints(shape, ids), images, ints(shape, mask))), labels: ints(shape, labels) };
}

/** Labels of rows that the next-token loss counts: all but each row's first. */
export const supervisedTokens = (rows: readonly Pick<EncodedTurns, 'labels'>[]): number =>
  rows.reduce((sum, row) => sum + supervisedCount(row), 0);

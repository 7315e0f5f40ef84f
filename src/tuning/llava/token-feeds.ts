/** @file Rows of ids and labels as the inputs of a training graph. */
import type { LlavaConfig } from '../../models/llava/config.ts';
import { placementFeeds } from '../../models/llava/model.ts';
import type { PictureLayout } from '../../models/llava/pictures.ts';
import { placeImages } from '../../models/llava/placement.ts';
import { floats, ints, type Tensor } from '../../tensor/tensor.ts';
import { type EncodedTurns, turnPositions } from './isolated-turns.ts';
import { type LossAverage, turnWeights } from './loss-average.ts';

/** The next-token loss needs a token and the one behind it. */
const SHORTEST = 2;

/**
 * Rows padded behind to the longest, [rows, T]: tokens with their images placed, `labels`, `turns` where turns are isolated, and
 * `loss_weights` for a mean over turns. @param images in all rows together (see `imagesIn`) @param layouts of a family's pictures
 */
export function tokenFeeds(
  config: LlavaConfig,
  rows: readonly EncodedTurns[],
  images: number,
  average: LossAverage = 'token',
  layouts: readonly PictureLayout[] = [],
): Record<string, Tensor> {
  const length = Math.max(SHORTEST, ...rows.map(r => r.ids.length));
  const shape = [rows.length, length];
  const [ids, mask, labels] = [0, 0, -100].map(value => new Int32Array(rows.length * length).fill(value));
  rows.forEach((row, b) => {
    ids.set(row.ids, b * length);
    mask.fill(1, b * length, b * length + row.ids.length);
    labels.set(row.labels, b * length);
  });
  const placed = placementFeeds(placeImages(config, ints(shape, ids), images, ints(shape, mask), undefined, layouts));
  return {
    ...placed,
    ...(rows.some(row => row.turns) ? isolated(rows, placed.position_ids) : {}),
    labels: ints(shape, labels),
    ...(average === 'turn' ? { loss_weights: weights(rows, length) } : {}),
  };
}

/** `turns` and `position_ids` of isolated turns. @param positions of the rows as whole conversations, which padding keeps */
function isolated(rows: readonly EncodedTurns[], { shape, data }: Tensor): Record<string, Tensor> {
  const turns = new Int32Array(data.length);
  const positions = Int32Array.from(data as Int32Array);
  rows.forEach((row, b) => {
    turns.set(row.turns ?? row.ids.map(() => 1), b * shape[1]);
    if (row.turns) positions.set(turnPositions(row.turns), b * shape[1]);
  });
  return { turns: ints(shape, turns), position_ids: ints(shape, positions) };
}

function weights(rows: readonly EncodedTurns[], length: number): Tensor {
  const out = new Float32Array(rows.length * length);
  for (const [b, { labels }] of rows.entries()) out.set(turnWeights(labels), b * length);
  return floats([rows.length, length], out);
}

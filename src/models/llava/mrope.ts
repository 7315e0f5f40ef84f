/** @file Positions of three axes (M-RoPE of Qwen2-VL, arXiv 2409.12191): words count on all of them, an image's tokens by row and column. */
import { ints, type Tensor } from '../../tensor/tensor.ts';

/** Positions of a batch. */
export interface SpatialPositions {
  /** int32 [B, T]: the axis of time, on which an image stands still. */
  readonly positions: Tensor;
  /** int32 [B, T, 2]: row and column. */
  readonly spatial: Tensor;
}

/**
 * As `get_rope_index` of transformers: what follows an image goes on behind its larger edge.
 * @param shown per token, 1 = a token, 0 = padding @param image per token, whether it stands for an image
 * @param grids rows and columns of tokens of each image, in order
 */
export function spatialPositions(
  [batch, length]: readonly number[],
  shown: (i: number) => boolean,
  image: (i: number) => boolean,
  grids: readonly (readonly [number, number])[],
): SpatialPositions {
  const positions = new Int32Array(batch * length).fill(1);
  const spatial = new Int32Array(2 * batch * length).fill(1);
  let picture = 0;
  for (let b = 0; b < batch; b++) {
    let next = 0;
    let within = 0;
    for (let i = b * length; i < (b + 1) * length; i++) {
      if (!shown(i)) continue;
      positions[i] = next;
      if (!image(i)) {
        spatial.fill(next++, 2 * i, 2 * i + 2);
        continue;
      }
      const [rows, columns] = grids[picture] ?? [1, 1];
      spatial[2 * i] = next + Math.floor(within / columns);
      spatial[2 * i + 1] = next + (within % columns);
      if (++within < rows * columns) continue;
      next += Math.max(rows, columns);
      within = 0;
      picture++;
    }
  }
  return { positions: ints([batch, length], positions), spatial: ints([batch, length, 2], spatial) };
}

/** Per row, the first position behind all of its tokens. @param shown int32 [B, T] */
export function nextPositions({ positions, spatial }: { readonly positions: Tensor; readonly spatial?: Tensor }, shown: Tensor): number[] {
  const [batch, length] = positions.shape;
  return Array.from({ length: batch }, (_, b) => {
    let last = -1;
    for (let i = b * length; i < (b + 1) * length; i++) {
      if (!Number(shown.data[i])) continue;
      last = Math.max(last, Number(positions.data[i]));
      if (spatial) last = Math.max(last, Number(spatial.data[2 * i]), Number(spatial.data[2 * i + 1]));
    }
    return last + 1;
  });
}

/** @file Ranges of rows of batched tensors. */
import type { TowerInputs } from '../models/dual-encoder.ts';
import { type FloatTensor, floats } from '../tensor/tensor.ts';

/** First row, and one past the last. */
export type Range = readonly [number, number];

/** Row i of a [P, …] tensor, flat. */
export function row(t: FloatTensor, i: number): Float32Array {
  const size = t.data.length / t.shape[0];
  return t.data.subarray(i * size, (i + 1) * size);
}

/** Rows of a [P, …] tensor; not copied. */
export function rows(t: FloatTensor, [from, to]: Range): FloatTensor {
  const size = t.data.length / t.shape[0];
  return floats([to - from, ...t.shape.slice(1)], t.data.subarray(from * size, to * size));
}

/** Rows of a tower's inputs: every input has the batch as its first axis. */
export function inputRows(inputs: TowerInputs, [from, to]: Range): TowerInputs {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, t]) => {
      const size = t.data.length / t.shape[0];
      return [name, { dtype: t.dtype, shape: [to - from, ...t.shape.slice(1)], data: t.data.subarray(from * size, to * size) }];
    }),
  );
}

/** A tower's inputs of several batches as one, in order. */
export function stackInputs(batches: readonly TowerInputs[]): TowerInputs {
  return Object.fromEntries(
    Object.entries(batches[0]).map(([name, { dtype, shape, data }]) => {
      const all = new (data.constructor as new (size: number) => typeof data)(batches.length * data.length);
      batches.forEach((batch, i) => {
        (all as Float32Array).set(batch[name].data as Float32Array, i * data.length);
      });
      return [name, { dtype, shape: [batches.length * shape[0], ...shape.slice(1)], data: all }];
    }),
  );
}

/** Ranges of at most `size` rows that cover `count`. */
export function chunks(count: number, size: number): Range[] {
  const step = Math.max(1, Math.floor(size));
  return Array.from({ length: Math.ceil(count / step) }, (_, i) => [i * step, Math.min(count, (i + 1) * step)] as const);
}

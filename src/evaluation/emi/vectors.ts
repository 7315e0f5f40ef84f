/** @file Rows of numbers as tensors of the types that an estimator takes. */
import { NarrowsError } from '../../system/errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Rows } from '../distances/rows.ts';

/** Rows as one [N, width] tensor. @throws NarrowsError naming `what` for no rows, rows of different widths, values that are not finite */
export function matrix(rows: Rows, what: string, dtype: 'float32' | 'float64' = 'float64'): Tensor {
  if (rows.length === 0) throw new NarrowsError(`${what} has no rows; give at least one item.`);
  const width = rows[0].length;
  const data = dtype === 'float64' ? new Float64Array(rows.length * width) : new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    if (row.length !== width) throw new NarrowsError(`Row ${i} of ${what} has ${row.length} values, the first has ${width}.`);
    for (let k = 0; k < width; k++)
      if (!Number.isFinite(row[k])) throw new NarrowsError(`Row ${i} of ${what} has values that are not finite.`);
    data.set(row, i * width);
  });
  return { dtype, shape: [rows.length, width], data };
}

/** The rows of an [N, width] tensor of floats; views, not copies. */
export function rowsOf({ shape: [n, width], data }: Tensor): Float64Array[] | Float32Array[] {
  const all = data as Float64Array;
  return Array.from({ length: n }, (_, i) => all.subarray(i * width, (i + 1) * width));
}

/** @file Representations as rows: checked, and of length 1. */

/** One representation per sample, all of one width. */
export type Rows = readonly ArrayLike<number>[];

/**
 * Every row divided by its Euclidean length, in double precision. A row of zeros stays one.
 * @throws RangeError for no rows, rows of different widths, or values that are not finite
 */
export function unitRows(rows: Rows): Float64Array[] {
  if (rows.length === 0) throw new RangeError('Representations of at least one sample are needed; there are none.');
  const width = rows[0].length;
  return rows.map((row, i) => {
    if (row.length !== width) throw new RangeError(`Representation ${i} has ${row.length} values, the first has ${width}.`);
    const out = Float64Array.from(row);
    const length = Math.hypot(...norms(out));
    if (!Number.isFinite(length)) throw new RangeError(`Representation ${i} has values that are not finite.`);
    return length > 0 ? out.map(v => v / length) : out;
  });
}

/** Norms of runs of values: `Math.hypot` takes its values as arguments, of which there may not be too many. */
function norms(values: Float64Array): number[] {
  const out: number[] = [];
  for (let start = 0; start < values.length; start += 4096) out.push(Math.hypot(...values.subarray(start, start + 4096)));
  return out;
}

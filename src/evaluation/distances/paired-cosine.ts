/** @file Cosine distance between representations of the same samples, clean and shifted. */
import { type BootstrapOptions, bootstrap, type Estimate } from '../../tensor/statistics/bootstrap.ts';
import { mean } from '../../tensor/statistics/descriptive.ts';
import { type Rows, unitRows } from './rows.ts';

/**
 * 1 - cos of row i of one set and row i of the other, in [0, 2]; NaN where either row is all zeros.
 * @throws RangeError for sets of different sizes, none, different widths, or values that are not finite
 */
export function pairedCosineDistance(a: Rows, b: Rows): Float64Array {
  if (a.length !== b.length) throw new RangeError(`Pairs need as many representations on both sides, got ${a.length} and ${b.length}.`);
  const rows = unitRows([...a, ...b]);
  return Float64Array.from({ length: a.length }, (_, i) => {
    const [x, y] = [rows[i], rows[a.length + i]];
    let apart = 0;
    let zeros = 0;
    // |x - y|² / 2 keeps its digits where the two are nearly the same; 1 - x·y loses them.
    for (let k = 0; k < x.length; k++) apart += (x[k] - y[k]) ** 2;
    for (const row of [x, y]) if (row.every(v => v === 0)) zeros++;
    return zeros ? Number.NaN : apart / 2;
  });
}

/** Mean paired cosine distance with its bootstrap interval over pairs; pairs without a direction (zeros) are left out. */
export function meanPairedCosineDistance(a: Rows, b: Rows, options: BootstrapOptions): Estimate {
  return bootstrap(
    pairedCosineDistance(a, b).filter(v => !Number.isNaN(v)),
    mean,
    options,
  );
}

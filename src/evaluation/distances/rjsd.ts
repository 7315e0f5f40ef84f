/** @file Representation Jensen–Shannon divergence: how far two sets of representations lie apart, as one number. */
import { symmetricEigenvalues } from '../../tensor/symmetric-eigenvalues.ts';
import { type Rows, unitRows } from './rows.ts';

/** Weighted sum of outer products of rows, or of the Gram matrix, whichever is smaller: their non-zero eigenvalues are the same. */
function spectrum(rows: readonly Float64Array[], weights: readonly number[]): Float64Array {
  const width = rows[0].length;
  const wide = rows.length < width;
  const n = wide ? rows.length : width;
  const matrix = new Float64Array(n * n);
  if (wide) {
    for (let i = 0; i < n; i++)
      for (let j = 0; j <= i; j++) {
        let total = 0;
        for (let k = 0; k < width; k++) total += rows[i][k] * rows[j][k];
        matrix[i * n + j] = matrix[j * n + i] = total * Math.sqrt(weights[i] * weights[j]);
      }
  } else {
    rows.forEach((row, r) => {
      for (let i = 0; i < n; i++) {
        const scaled = row[i] * weights[r];
        for (let j = 0; j < n; j++) matrix[i * n + j] += scaled * row[j];
      }
    });
  }
  return symmetricEigenvalues(matrix, n);
}

/** -Σ λ ln λ over the positive eigenvalues, scaled to sum 1. Nats. */
function vonNeumannEntropy(eigenvalues: Float64Array): number {
  const positive = eigenvalues.filter(v => v > 0);
  const total = positive.reduce((a, b) => a + b, 0);
  return -positive.reduce((sum, v) => sum + (v / total) * Math.log(v / total), 0);
}

/** How sets of unequal size count: alike (default), or by their numbers of rows, as the official code has it (no divergence of the two then). */
export interface RjsdOptions {
  readonly weights?: 'equal' | 'size';
}

/**
 * S((C_a + C_b) / 2) - (S(C_a) + S(C_b)) / 2 in [0, ln 2] nats, where C is the uncentred covariance of rows of length 1, divided by their
 * number, and S von Neumann's entropy (Hoyos-Osorio and Sanchez-Giraldo, "The representation Jensen–Shannon divergence", 2023; the linear
 * kernel, as in mllmshift-emi). A lower bound of the true divergence. The official code does not divide by the numbers of rows, so that
 * sets of unequal size are weighted by it (`weights: 'size'`); here both count one half. Rounding below 0 becomes 0.
 * @throws RangeError for an empty set, rows of different widths, or values that are not finite
 * @example
 * console.log(representationJsd([[1, 0], [0, 1]], [[1, 0], [0, 1]])); // 0: nothing moved
 */
export function representationJsd(a: Rows, b: Rows, { weights = 'equal' }: RjsdOptions = {}): number {
  const rows = unitRows([...a, ...b]);
  if (a.length === 0 || b.length === 0) throw new RangeError('A divergence needs representations on both sides; one side has none.');
  const entropy = (part: readonly Float64Array[]) =>
    vonNeumannEntropy(
      spectrum(
        part,
        part.map(() => 1 / part.length),
      ),
    );
  const weight = (count: number): number => (weights === 'equal' ? 0.5 / count : 1 / rows.length);
  const mixed = vonNeumannEntropy(spectrum(rows, [...a].map(() => weight(a.length)).concat([...b].map(() => weight(b.length)))));
  return Math.max(0, mixed - (entropy(rows.slice(0, a.length)) + entropy(rows.slice(a.length))) / 2);
}

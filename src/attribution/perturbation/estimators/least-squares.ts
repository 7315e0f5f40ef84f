/** @file Weighted least squares on coalitions: one column per player and an intercept, with standard errors that trust no noise model. */
import { NarrowsError } from '../../../system/errors.ts';
import { cholesky, inverseFromCholesky, solveCholesky } from './cholesky.ts';

/** The linear map from values of M coalitions to 1 + n coefficients, intercept first: (ΦᵀWΦ + R)⁻¹ΦᵀW, [1 + n, M]. */
export interface Regressor {
  readonly rows: number;
  readonly players: number;
  readonly coalitions: Uint8Array;
  /** [M] */
  readonly weights: Float64Array;
  /** [1 + n, M] */
  readonly map: Float64Array;
  /** Coalitions were drawn, and weigh the same; else they are listed with their probabilities. */
  readonly drawn: boolean;
}

/**
 * @param coalitions [M, n]
 * @param weights [M]; 1 by default
 * @param ridge added to the normal equations' diagonal, the intercept's left out
 * @throws NarrowsError where the coalitions do not tell the players apart
 */
export function regressor(coalitions: Uint8Array, n: number, weights?: Float64Array, ridge = 0): Regressor {
  const rows = coalitions.length / n;
  const q = n + 1;
  const w = weights ?? new Float64Array(rows).fill(1);
  const present = new Int32Array(q);
  const inverse = invert(gramOf(coalitions, n, w, ridge), q, rows);
  const map = new Float64Array(q * rows);
  for (let m = 0; m < rows; m++) {
    const count = membersOf(coalitions, m, n, present);
    for (let i = 0; i < q; i++) {
      let sum = 0;
      for (let a = 0; a < count; a++) sum += inverse[i * q + present[a]];
      map[i * rows + m] = w[m] * sum;
    }
  }
  return { rows, players: n, coalitions, weights: w, map, drawn: !weights };
}

/** ΦᵀWΦ + R, [1 + n, 1 + n]. */
function gramOf(coalitions: Uint8Array, n: number, weights: Float64Array, ridge: number): Float64Array {
  const q = n + 1;
  const gram = new Float64Array(q * q);
  const present = new Int32Array(q);
  for (let m = 0; m < weights.length; m++) {
    const count = membersOf(coalitions, m, n, present);
    for (let a = 0; a < count; a++) {
      const at = present[a] * q;
      for (let b = 0; b <= a; b++) gram[at + present[b]] += weights[m];
    }
  }
  for (let i = 0; i < q; i++) {
    if (i > 0) gram[i * q + i] += ridge;
    for (let j = 0; j < i; j++) gram[j * q + i] = gram[i * q + j];
  }
  return gram;
}

/**
 * Only the coefficients (intercept first, [1 + n]), for many columns: the normal equations are solved for these values only.
 * @throws NarrowsError as `regressor`
 */
export function solveNormal(coalitions: Uint8Array, n: number, values: Float64Array, weights: Float64Array): Float64Array {
  const moment = new Float64Array(n + 1);
  const present = new Int32Array(n + 1);
  for (let m = 0; m < values.length; m++) {
    const count = membersOf(coalitions, m, n, present);
    for (let a = 0; a < count; a++) moment[present[a]] += weights[m] * values[m];
  }
  const lower = factor(gramOf(coalitions, n, weights, 0), n + 1, values.length);
  return solveCholesky(lower, n + 1, moment);
}

/** Columns that are 1 in row m of the design: the intercept 0 and the players from 1. @returns how many */
export function membersOf(coalitions: Uint8Array, m: number, n: number, into: Int32Array): number {
  let count = 0;
  into[count++] = 0;
  for (let i = 0; i < n; i++) if (coalitions[m * n + i]) into[count++] = i + 1;
  return count;
}

/** Inverse of a Gram matrix. @throws NarrowsError where it is singular: too few, or too equal coalitions */
export const invert = (gram: Float64Array, q: number, rows: number): Float64Array => inverseFromCholesky(factor(gram, q, rows), q);

function factor(gram: Float64Array, q: number, rows: number): Float64Array {
  try {
    return cholesky(gram, q);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new NarrowsError(
      `${rows} coalitions are too few to tell what ${q - 1} players (or pairs of them) are worth; take more samples.`,
      {
        kind: 'usage',
        cause: error,
      },
    );
  }
}

/** The fitted value of row m of coalitions. @param coefficients [1 + n], intercept first */
export function predictRow(coefficients: Float64Array, coalitions: Uint8Array, m: number, n: number): number {
  let sum = coefficients[0];
  for (let i = 0; i < n; i++) if (coalitions[m * n + i]) sum += coefficients[i + 1];
  return sum;
}

/** A fit. */
export interface Fit {
  /** [1 + n], intercept first. */
  readonly coefficients: Float64Array;
  /** Of the players' coefficients, [n]. */
  readonly standardError: Float64Array;
  /** Weighted R². */
  readonly fit: number;
}

/**
 * Coefficients for values [M].
 * @param cluster how many neighbouring rows were drawn together (2 for antithetic pairs): their errors are added before they are squared
 */
export function fitValues(r: Regressor, values: Float64Array, cluster = 1): Fit {
  const { rows, players: n, map, weights } = r;
  const coefficients = Float64Array.from({ length: n + 1 }, (_, i) => dotRow(map, i, rows, values));
  const residuals = new Float64Array(rows);
  let [meanSum, weightSum] = [0, 0];
  for (let m = 0; m < rows; m++) {
    residuals[m] = values[m] - predictRow(coefficients, r.coalitions, m, n);
    meanSum += weights[m] * values[m];
    weightSum += weights[m];
  }
  const mean = meanSum / weightSum;
  let [left, all] = [0, 0];
  for (let m = 0; m < rows; m++) {
    left += weights[m] * residuals[m] ** 2;
    all += weights[m] * (values[m] - mean) ** 2;
  }
  // As many residuals as coefficients are spoken for (HC1). Rows that were drawn as complements tell one difference between them, and their
  // sum, which the intercept takes.
  const drawn = rows / cluster;
  const spoken = cluster === 1 ? n + 1 : n;
  const inflate = Math.sqrt(drawn / Math.max(1, drawn - spoken));
  const standardError = Float64Array.from({ length: n }, (_, i) => {
    let sum = 0;
    for (let from = 0; from < rows; from += cluster) {
      let part = 0;
      for (let m = from; m < Math.min(rows, from + cluster); m++) part += map[(i + 1) * rows + m] * residuals[m];
      sum += part * part;
    }
    return inflate * Math.sqrt(sum);
  });
  return { coefficients, standardError, fit: all === 0 ? 1 : 1 - left / all };
}

function dotRow(matrix: Float64Array, i: number, length: number, v: Float64Array): number {
  let sum = 0;
  for (let m = 0; m < length; m++) sum += matrix[i * length + m] * v[m];
  return sum;
}

/** @file Symmetric positive definite systems in double precision. */

/** Lower factor L of A = L·Lᵀ. @param a [q, q] row-major; @throws RangeError where A is not positive definite */
export function cholesky(a: Float64Array, q: number): Float64Array {
  const l = new Float64Array(q * q);
  for (let i = 0; i < q; i++)
    for (let j = 0; j <= i; j++) {
      let sum = a[i * q + j];
      for (let k = 0; k < j; k++) sum -= l[i * q + k] * l[j * q + k];
      if (i > j) l[i * q + j] = sum / l[j * q + j];
      else if (sum > 1e-12 * Math.max(a[i * q + i], 1e-300)) l[i * q + i] = Math.sqrt(sum);
      else throw new RangeError(`the matrix is singular at row ${i}.`);
    }
  return l;
}

/** Solves A·x = b in place, given A's lower factor. */
export function solveCholesky(l: Float64Array, q: number, b: Float64Array): Float64Array {
  for (let i = 0; i < q; i++) {
    let sum = b[i];
    for (let k = 0; k < i; k++) sum -= l[i * q + k] * b[k];
    b[i] = sum / l[i * q + i];
  }
  for (let i = q - 1; i >= 0; i--) {
    let sum = b[i];
    for (let k = i + 1; k < q; k++) sum -= l[k * q + i] * b[k];
    b[i] = sum / l[i * q + i];
  }
  return b;
}

/** Inverse of A from its lower factor, [q, q]. */
export function inverseFromCholesky(l: Float64Array, q: number): Float64Array {
  const out = new Float64Array(q * q);
  for (let c = 0; c < q; c++) {
    const column = new Float64Array(q);
    column[c] = 1;
    solveCholesky(l, q, column);
    // The inverse is symmetric, so a column is a row.
    out.set(column, c * q);
  }
  return out;
}

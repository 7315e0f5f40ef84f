/** @file Eigenvalues of a symmetric matrix: Householder reflections to a tridiagonal one, then bisection (Golub and Van Loan, 8.3.1, 8.4.1). */

/** Diagonal, and squares of the elements next to it, of a tridiagonal matrix with the same eigenvalues. Overwrites `a`. */
function tridiagonal(a: Float64Array, n: number): { diagonal: Float64Array; offDiagonalSquared: Float64Array } {
  const diagonal = new Float64Array(n);
  const offDiagonalSquared = new Float64Array(Math.max(0, n - 1));
  const v = new Float64Array(n);
  const w = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    diagonal[k] = a[k * n + k];
    if (k === n - 1) break;
    // Reflect column k below the diagonal onto its first element.
    let squares = 0;
    for (let i = k + 1; i < n; i++) {
      v[i] = a[i * n + k];
      squares += v[i] * v[i];
    }
    offDiagonalSquared[k] = squares;
    v[k + 1] += (v[k + 1] < 0 ? -1 : 1) * Math.sqrt(squares);
    let length = 0;
    for (let i = k + 1; i < n; i++) length += v[i] ** 2;
    if (length === 0) continue;
    const size = Math.sqrt(length);
    for (let i = k + 1; i < n; i++) v[i] /= size;
    // A - 2 v wᵀ - 2 w vᵀ with w = A v - (vᵀ A v) v.
    let along = 0;
    for (let i = k + 1; i < n; i++) {
      let total = 0;
      for (let j = k + 1; j < n; j++) total += a[i * n + j] * v[j];
      w[i] = total;
      along += total * v[i];
    }
    for (let i = k + 1; i < n; i++) w[i] -= along * v[i];
    for (let i = k + 1; i < n; i++) {
      const vi = 2 * v[i];
      const wi = 2 * w[i];
      for (let j = k + 1; j < n; j++) a[i * n + j] -= vi * w[j] + wi * v[j];
    }
  }
  return { diagonal, offDiagonalSquared };
}

/**
 * Ascending eigenvalues, each to about 1e-15 of the largest one's size. O(n³): 256 x 256 takes some tens of milliseconds.
 * @param matrix n x n, row by row; only assumed, not checked, to be symmetric; not changed @throws RangeError for another length or NaN
 */
export function symmetricEigenvalues(matrix: ArrayLike<number>, n: number): Float64Array {
  if (matrix.length !== n * n) throw new RangeError(`A ${n} x ${n} matrix has ${n * n} elements, got ${matrix.length}.`);
  const { diagonal, offDiagonalSquared } = tridiagonal(Float64Array.from(matrix), n);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < n; i++) {
    const reach = Math.sqrt(offDiagonalSquared[i - 1] ?? 0) + Math.sqrt(offDiagonalSquared[i] ?? 0);
    low = Math.min(low, diagonal[i] - reach);
    high = Math.max(high, diagonal[i] + reach);
  }
  if (n > 0 && !Number.isFinite(high - low)) throw new RangeError('A matrix with NaN or infinite elements has no eigenvalues.');
  const tiny = Math.max(Math.abs(low), Math.abs(high)) * 1e-300 || 1e-300;
  /** How many eigenvalues are below x (Sturm's sequence). */
  const below = (x: number): number => {
    let count = 0;
    let q = 1;
    for (let i = 0; i < n; i++) {
      q = diagonal[i] - x - (i > 0 ? offDiagonalSquared[i - 1] / q : 0);
      if (q === 0) q = tiny;
      if (q < 0) count++;
    }
    return count;
  };
  const enough = Math.max(Math.abs(low), Math.abs(high)) * 2 ** -52;
  return Float64Array.from({ length: n }, (_, k) => {
    let left = low - enough;
    let right = high + enough;
    while (right - left > enough) {
      const middle = left + (right - left) / 2;
      if (middle <= left || middle >= right) break;
      if (below(middle) > k) right = middle;
      else left = middle;
    }
    return left + (right - left) / 2;
  });
}

/** @file Eigenvectors of a symmetric matrix by Jacobi rotations, row by row (Golub and Van Loan, 8.5): slow, but each vector is exact to rounding. */

/** Sweeps over all pairs; about ten are enough for any matrix of doubles. */
const SWEEPS = 60;

/**
 * Eigenvalues, ascending, and their eigenvectors. O(n³) a sweep: 160 x 160 takes about a second.
 * @param matrix n x n, row by row; only assumed, not checked, to be symmetric; not changed
 * @returns `vectors` n x n, column k belonging to `values[k]` @throws RangeError for another length or numbers that are not finite
 */
export function symmetricEigenvectors(matrix: ArrayLike<number>, n: number): { values: Float64Array; vectors: Float64Array } {
  if (matrix.length !== n * n) throw new RangeError(`A ${n} x ${n} matrix has ${n * n} elements, got ${matrix.length}.`);
  const a = Float64Array.from(matrix);
  if (!a.every(Number.isFinite)) throw new RangeError('A matrix with NaN or infinite elements has no eigenvectors.');
  // Vectors stand in rows while they are turned.
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let sweep = 0, turned = true; turned && sweep < SWEEPS; sweep++) {
    turned = false;
    for (let p = 0; p < n - 1; p++) for (let q = p + 1; q < n; q++) turned = rotate(a, v, n, p, q) || turned;
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[i * n + i] - a[j * n + j]);
  const vectors = new Float64Array(n * n);
  order.forEach((from, k) => {
    for (let i = 0; i < n; i++) vectors[i * n + k] = v[from * n + i];
  });
  return { values: Float64Array.from(order, i => a[i * n + i]), vectors };
}

/** Makes the element (p, q) zero. @returns whether it was more than rounding */
function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): boolean {
  const [pp, qq, pq] = [a[p * n + p], a[q * n + q], a[p * n + q]];
  if (Math.abs(pq) <= Number.EPSILON * Math.sqrt(Math.abs(pp * qq)) || pq === 0) return false;
  const theta = (qq - pp) / (2 * pq);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const cosine = 1 / Math.hypot(tangent, 1);
  const sine = tangent * cosine;
  for (let i = 0; i < n; i++) {
    const [x, y] = [a[i * n + p], a[i * n + q]];
    a[i * n + p] = cosine * x - sine * y;
    a[i * n + q] = sine * x + cosine * y;
  }
  for (const rows of [a, v])
    for (let i = 0; i < n; i++) {
      const [x, y] = [rows[p * n + i], rows[q * n + i]];
      rows[p * n + i] = cosine * x - sine * y;
      rows[q * n + i] = sine * x + cosine * y;
    }
  a[p * n + q] = 0;
  a[q * n + p] = 0;
  return true;
}

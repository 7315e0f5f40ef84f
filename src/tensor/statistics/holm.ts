/** @file Holm's correction for several tests (Holm, "A simple sequentially rejective multiple test procedure", 1979). */

/**
 * Adjusted p-values: the i-th smallest of m becomes the largest of (m - j + 1) · p_j over j <= i, at most 1; comparing them with a level
 * holds the chance of any false finding at it. NaN stays NaN and does not count as a test.
 * @throws RangeError for a value outside [0, 1]
 */
export function holm(pValues: ArrayLike<number>): number[] {
  const adjusted = Array.from(pValues, p => {
    if (p < 0 || p > 1) throw new RangeError(`A p-value lies between 0 and 1; got ${p}.`);
    return Number.NaN;
  });
  const order = [...adjusted.keys()].filter(i => !Number.isNaN(pValues[i])).sort((a, b) => pValues[a] - pValues[b]);
  let largest = 0;
  order.forEach((i, k) => {
    largest = Math.max(largest, Math.min(1, (order.length - k) * pValues[i]));
    adjusted[i] = largest;
  });
  return adjusted;
}

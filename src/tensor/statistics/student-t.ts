/** @file Student's t distribution, and the incomplete beta function that it and the binomial stand on. */

/** ln Γ(x) for x > 0: the recurrence lifts x to 12, Stirling's series follows (Abramowitz and Stegun 6.1.41); about 1e-15 relative. */
export function logGamma(x: number): number {
  let shift = 0;
  let z = x;
  for (; z < 12; z++) shift += Math.log(z);
  const r = 1 / (z * z);
  const series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r * (1 / 1188 - (r * 691) / 360360))))) / z;
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift;
}

/** The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method. It runs fast for x < (a + 1) / (a + b + 2). */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const away = (v: number): number => (Math.abs(v) < tiny ? tiny : v);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let product = d;
  for (let m = 1; m < 10_000; m++) {
    for (const term of [
      (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)),
      (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1)),
    ]) {
      d = 1 / away(1 + term * d);
      c = away(1 + term / c);
      product *= c * d;
    }
    if (Math.abs(c * d - 1) < 1e-16) break;
  }
  return product;
}

/**
 * The regularised incomplete beta function I_x(a, b), x in [0, 1], a, b > 0; NaN outside. P(X >= k) of a binomial with n draws of
 * probability x is I_x(k, n - k + 1).
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (!(x >= 0 && x <= 1 && a > 0 && b > 0)) return Number.NaN;
  if (x === 0 || x === 1) return x;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return (front * betaFraction(x, a, b)) / a;
  return 1 - (front * betaFraction(1 - x, b, a)) / b;
}

/** P(|T| >= |t|) of Student's t with `free` degrees of freedom: the two-sided p-value; ±∞ gives 0. */
export function studentTwoSided(t: number, free: number): number {
  if (!(free > 0) || Number.isNaN(t)) return Number.NaN;
  return Math.abs(t) === Number.POSITIVE_INFINITY ? 0 : incompleteBeta(free / (free + t * t), free / 2, 0.5);
}

/**
 * The t that |T| stays below with probability `level` (0 < level < 1), `free` degrees of freedom: what a standard error is multiplied by for
 * an interval of this level. By bisection on its logarithm.
 */
export function studentHalfWidth(level: number, free: number): number {
  if (!(level > 0 && level < 1 && free > 0)) return Number.NaN;
  let [low, high] = [-60, 60];
  for (let i = 0; i < 200 && high - low > 1e-15; i++) {
    const middle = (low + high) / 2;
    if (studentTwoSided(Math.exp(middle), free) > 1 - level) low = middle;
    else high = middle;
  }
  return Math.exp((low + high) / 2);
}

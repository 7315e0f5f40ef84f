/**
 * @file Pairs of players within one side where masks are too few for least squares: ridge regression on centred products, main effects
 * free, its weight chosen on masks held out. n(n − 1)/2 columns are never formed: with Z the centred masks, the kernel times α is
 * Σ_{i<j} zᵢzⱼMᵢⱼ with M = Zᵀdiag(α)Z, and M's entries are the coefficients.
 */
import { predictRow, type Regressor, regressor } from './least-squares.ts';

/** Ridge weights tried, in units of the kernel's mean diagonal: noise over signal. */
const WEIGHTS = [0.1, 0.3, 1, 3, 10, 30];
/** Share of the masks that choose among them. */
const HELD_OUT = 0.2;
const MOST_STEPS = 60;
const PRECISION = 1e-4;

/** A fit in plain products of 0 and 1. */
export interface PairFit {
  readonly intercept: number;
  /** [n] */
  readonly main: Float64Array;
  /** [n, n], symmetric, zero diagonal. */
  readonly pairs: Float64Array;
}

/** @param r regression on the single players, equal weights; @param values [m] */
export function ridgePairs(r: Regressor, values: Float64Array): PairFit {
  const train = Math.floor(r.rows * (1 - HELD_OUT));
  const early = regressor(r.coalitions.subarray(0, train * r.players), r.players);
  let best = { weight: WEIGHTS[WEIGHTS.length - 1], error: Number.POSITIVE_INFINITY };
  let start: Float64Array | undefined;
  // From the heaviest down, each from the last one's solution.
  for (const weight of WEIGHTS.toReversed()) {
    const { fit, alpha } = solve(early, values.subarray(0, train), weight, start);
    start = alpha;
    let error = 0;
    for (let m = train; m < r.rows; m++) error += (values[m] - pairValue(fit, r.coalitions, m)) ** 2;
    if (error < best.error) best = { weight, error };
  }
  return solve(r, values, best.weight).fit;
}

/** The value of row m of coalitions. */
export function pairValue(fit: PairFit, coalitions: Uint8Array, m: number): number {
  const n = fit.main.length;
  let sum = fit.intercept;
  for (let i = 0; i < n; i++) {
    if (!coalitions[m * n + i]) continue;
    sum += fit.main[i];
    for (let j = 0; j < i; j++) if (coalitions[m * n + j]) sum += fit.pairs[i * n + j];
  }
  return sum;
}

/** (PKP + λ)α = Py by conjugate gradients, P taking the main effects out. */
function solve(r: Regressor, values: Float64Array, weight: number, start?: Float64Array): { fit: PairFit; alpha: Float64Array } {
  const { rows, players: n } = r;
  const share = new Float64Array(n);
  for (let m = 0; m < rows; m++) for (let i = 0; i < n; i++) share[i] += r.coalitions[m * n + i] / rows;
  const z = Float64Array.from(r.coalitions, (x, at) => x - share[at % n]);
  let diagonal = 0;
  for (let m = 0; m < rows; m++) diagonal += pairSum(z, m, n, undefined) / rows;
  const lambda = weight * diagonal;
  const times = (v: Float64Array): Float64Array => {
    const out = withoutMain(r, kernelTimes(z, n, moments(z, n, v)));
    for (let m = 0; m < rows; m++) out[m] += lambda * v[m];
    return out;
  };
  const target = withoutMain(r, values);
  const alpha = start ? start.slice() : new Float64Array(rows);
  const first = times(alpha);
  const residual = target.map((v, m) => v - first[m]);
  let direction = residual.slice();
  let norm = dot(residual, residual);
  const enough = PRECISION ** 2 * dot(target, target);
  for (let step = 0; step < MOST_STEPS && norm > enough; step++) {
    const image = times(direction);
    const length = norm / dot(direction, image);
    for (let m = 0; m < rows; m++) {
      alpha[m] += length * direction[m];
      residual[m] -= length * image[m];
    }
    const next = dot(residual, residual);
    direction = direction.map((v, m) => residual[m] + (next / norm) * v);
    norm = next;
  }
  const centred = moments(z, n, alpha);
  const pairPart = kernelTimes(z, n, centred);
  const main = coefficientsOf(
    r,
    values.map((v, m) => v - pairPart[m]),
  );
  return { fit: uncentred(main, centred, share, n), alpha };
}

/** Σ cᵢⱼ(xᵢ − sᵢ)(xⱼ − sⱼ) multiplied out. */
function uncentred(main: Float64Array, centred: Float64Array, share: Float64Array, n: number): PairFit {
  const mainEffects = main.slice(1);
  let intercept = main[0];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      mainEffects[i] -= centred[i * n + j] * share[j];
      if (j < i) intercept += centred[i * n + j] * share[i] * share[j];
    }
  return { intercept, main: mainEffects, pairs: centred };
}

/** Zᵀdiag(v)Z without its diagonal. */
function moments(z: Float64Array, n: number, v: Float64Array): Float64Array {
  const out = new Float64Array(n * n);
  for (let m = 0; m < v.length; m++)
    for (let i = 0; i < n; i++) {
      const scaled = v[m] * z[m * n + i];
      for (let j = 0; j < i; j++) out[i * n + j] += scaled * z[m * n + j];
    }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) out[j * n + i] = out[i * n + j];
  return out;
}

const kernelTimes = (z: Float64Array, n: number, matrix: Float64Array): Float64Array =>
  Float64Array.from({ length: z.length / n }, (_, m) => pairSum(z, m, n, matrix));

/** Σ_{i<j} zᵢzⱼMᵢⱼ of row m; without a matrix Σ_{i<j} zᵢ²zⱼ². */
function pairSum(z: Float64Array, m: number, n: number, matrix: Float64Array | undefined): number {
  let sum = 0;
  for (let i = 0; i < n; i++) {
    let inner = 0;
    const zi = z[m * n + i];
    for (let j = 0; j < i; j++) inner += matrix ? z[m * n + j] * matrix[i * n + j] : zi * z[m * n + j] ** 2;
    sum += zi * inner;
  }
  return sum;
}

function coefficientsOf(r: Regressor, values: Float64Array): Float64Array {
  return Float64Array.from({ length: r.players + 1 }, (_, i) => dot(r.map.subarray(i * r.rows, (i + 1) * r.rows), values));
}

/** Residuals of the regression on single players. */
function withoutMain(r: Regressor, values: Float64Array): Float64Array {
  const coefficients = coefficientsOf(r, values);
  return values.map((v, m) => v - predictRow(coefficients, r.coalitions, m, r.players));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let m = 0; m < a.length; m++) sum += a[m] * b[m];
  return sum;
}

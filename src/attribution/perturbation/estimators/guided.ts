/**
 * @file Banzhaf values from few coalitions, guided by a map that gradients give for the price of a few passes: the values are fitted as
 * v(S) ≈ c + α·Σ_{i∈S} g_i + Σ_{i∈S} δ_i with a ridge on δ only. Where the guide g is right, δ stays small and little must be learned from
 * the coalitions; where it is wrong, α goes to zero and the ridge is an ordinary one. The ridge's weight is the one with the smallest
 * leave-one-out error, which a linear fit gives without fitting again.
 */
import { RandomStream } from '../../../tensor/random.ts';
import { endsOf, type Game } from '../../game.ts';
import { drawCoalitions } from '../coalitions.ts';
import { listedBanzhaf } from './banzhaf.ts';
import { cholesky, inverseFromCholesky } from './cholesky.ts';
import { type PlayerValues, total } from './player-values.ts';

/** How coalitions are drawn. */
export interface GuidedOptions {
  /** Coalitions; all are listed where there are no more. */
  readonly samples: number;
  readonly p: number;
  readonly seed: number;
}

/** Weights of the ridge that are tried, relative to the variance of a player's presence times the number of coalitions. */
const WEIGHTS = [1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1, 3, 10, 100];

/** A linear fit with its leave-one-out errors. */
interface Fit {
  readonly coefficients: Float64Array;
  readonly error: number;
  /** Variance of each coefficient, from the residuals. */
  readonly variance: Float64Array;
}

/** Ridge of `scores` on rows of width q; column j is held back by `penalty[j]`. */
function ridge(rows: Float64Array, q: number, scores: Float64Array, penalty: Float64Array): Fit {
  const m = scores.length;
  const gram = new Float64Array(q * q);
  const right = new Float64Array(q);
  for (let r = 0; r < m; r++)
    for (let i = 0; i < q; i++) {
      const value = rows[r * q + i];
      if (value === 0) continue;
      right[i] += value * scores[r];
      for (let j = 0; j <= i; j++) gram[i * q + j] += value * rows[r * q + j];
    }
  const plain = gram.slice();
  for (let i = 0; i < q; i++) {
    gram[i * q + i] += penalty[i] + 1e-9 * m;
    for (let j = 0; j < i; j++) {
      gram[j * q + i] = gram[i * q + j];
      plain[j * q + i] = plain[i * q + j];
    }
  }
  const inverse = inverseFromCholesky(cholesky(gram, q), q);
  const coefficients = new Float64Array(q);
  for (let i = 0; i < q; i++) for (let j = 0; j < q; j++) coefficients[i] += inverse[i * q + j] * right[j];
  let [error, squares, freedom] = [0, 0, m];
  const projected = new Float64Array(q);
  for (let r = 0; r < m; r++) {
    const row = rows.subarray(r * q, (r + 1) * q);
    let [fitted, leverage] = [0, 0];
    for (let i = 0; i < q; i++) {
      fitted += row[i] * coefficients[i];
      projected[i] = 0;
      for (let j = 0; j < q; j++) projected[i] += inverse[i * q + j] * row[j];
      leverage += row[i] * projected[i];
    }
    const residual = scores[r] - fitted;
    error += (residual / Math.max(1e-6, 1 - leverage)) ** 2;
    squares += residual * residual;
    freedom -= leverage;
  }
  const noise = squares / Math.max(1, freedom);
  // The sandwich (G + Λ)⁻¹ G (G + Λ)⁻¹ of a ridge.
  const variance = new Float64Array(q);
  for (let i = 0; i < q; i++) {
    let sum = 0;
    for (let j = 0; j < q; j++) for (let k = 0; k < q; k++) sum += inverse[i * q + j] * plain[j * q + k] * inverse[i * q + k];
    variance[i] = noise * sum;
  }
  return { coefficients, error: error / m, variance };
}

/**
 * @param guide a value per player, of any scale: its sign and size against the others count
 * @returns values α·g + δ; `convergenceDelta` is the efficiency gap
 */
export async function guidedBanzhaf(game: Game, guide: ArrayLike<number>, options: GuidedOptions): Promise<PlayerValues> {
  const { samples, p, seed } = options;
  const n = game.players;
  const listed = await listedBanzhaf(game, samples, p);
  if (listed) return listed;
  const coalitions = drawCoalitions(new RandomStream(seed, 'guided-banzhaf').reader(0, 0), samples, n, p);
  const scores = await game.values(coalitions);
  const { full, empty } = await endsOf(game);
  const largest = Array.from(guide).reduce((most, g) => Math.max(most, Math.abs(g)), 0);
  const unit = Float64Array.from(guide, g => (largest > 0 ? g / largest : 0));
  const guided = largest > 0 && unit.some(g => g !== unit[0]);
  const q = n + (guided ? 2 : 1);
  const rows = new Float64Array(samples * q);
  for (let m = 0; m < samples; m++) {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      // Centred presence: the ridge then shrinks towards what the other players say.
      const there = coalitions[m * n + i] - p;
      rows[m * q + i] = there;
      sum += there * unit[i];
    }
    rows[m * q + n] = 1;
    if (guided) rows[m * q + n + 1] = sum;
  }
  let best: Fit | undefined;
  for (const weight of WEIGHTS) {
    const penalty = new Float64Array(q).fill(weight * samples * p * (1 - p), 0, n);
    const fit = ridge(rows, q, scores, penalty);
    if (!best || fit.error < best.error) best = fit;
  }
  const { coefficients, variance } = best!;
  const alpha = guided ? coefficients[n + 1] : 0;
  const values = Float64Array.from({ length: n }, (_, i) => coefficients[i] + alpha * unit[i]);
  const spread = guided ? variance[n + 1] : 0;
  const standardError = Float64Array.from({ length: n }, (_, i) => Math.sqrt(variance[i] + spread * unit[i] ** 2));
  return { values, standardError, convergenceDelta: total(values) - (full - empty), samples: samples + 2 };
}

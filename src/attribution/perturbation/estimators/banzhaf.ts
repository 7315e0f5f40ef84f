/**
 * @file First-order Banzhaf values (weighted by p): E[v(S∪i) − v(S)] where every other player comes with probability p. By listing, by
 * maximum sample reuse (Wang and Jia, AISTATS 2023), or by least squares, which has the same limit and less noise.
 */

import { NarrowsError } from '../../../system/errors.ts';
import { RandomStream } from '../../../tensor/random.ts';
import { endsOf, type Game } from '../../game.ts';
import { allCoalitions, drawCoalitions } from '../coalitions.ts';
import { exactBanzhaf } from './exact.ts';
import { fitValues, regressor } from './least-squares.ts';
import { type PlayerValues, total } from './player-values.ts';

/** How coalitions are drawn and used. */
export interface BanzhafOptions {
  /** Coalitions; all are listed where there are no more. */
  readonly samples: number;
  readonly p: number;
  readonly seed: number;
  readonly estimator: 'reuse' | 'least-squares';
}

/** Values by listing all coalitions, where there are no more than `samples`; else undefined. */
export async function listedBanzhaf(game: Game, samples: number, p: number): Promise<PlayerValues | undefined> {
  const n = game.players;
  if (n > 24 || 2 ** n > samples) return undefined;
  const scores = await game.values(allCoalitions(n));
  const values = exactBanzhaf(scores, n, p);
  const delta = total(values) - (scores[scores.length - 1] - scores[0]);
  return { values, standardError: new Float64Array(n), convergenceDelta: delta, samples: scores.length };
}

/** `convergenceDelta` is the efficiency gap: Banzhaf values need not add up to value(all) − value(none). */
export async function banzhaf(game: Game, options: BanzhafOptions): Promise<PlayerValues> {
  const { samples, p, seed, estimator } = options;
  const n = game.players;
  const listed = await listedBanzhaf(game, samples, p);
  if (listed) return listed;
  const coalitions = drawCoalitions(new RandomStream(seed, 'banzhaf').reader(0, 0), samples, n, p);
  const scores = await game.values(coalitions);
  const { full, empty } = await endsOf(game);
  const found = estimator === 'reuse' ? reuse(coalitions, scores, n) : leastSquares(coalitions, scores, n);
  return { ...found, convergenceDelta: total(found.values) - (full - empty), samples: samples + 2 };
}

function leastSquares(coalitions: Uint8Array, scores: Float64Array, n: number): { values: Float64Array; standardError: Float64Array } {
  // Antithetic pairs are complements: each tells one difference. With no more of them than players the fit goes through every value and
  // says nothing of the players, nor of its own error.
  if (scores.length / 2 <= n)
    throw new NarrowsError(
      `${scores.length} coalitions are too few to tell what ${n} players are worth by least squares; take more than ${2 * n} samples, or guided-banzhaf, which needs fewer.`,
      { kind: 'usage' },
    );
  const { coefficients, standardError } = fitValues(regressor(coalitions, n), scores, 2);
  return { values: coefficients.subarray(1), standardError };
}

/** Mean value with the player minus mean value without: every sample serves every player. */
function reuse(coalitions: Uint8Array, scores: Float64Array, n: number): { values: Float64Array; standardError: Float64Array } {
  const count = scores.length;
  const values = new Float64Array(n);
  const standardError = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const sums = [0, 0];
    const counts = [0, 0];
    for (let m = 0; m < count; m++) {
      sums[coalitions[m * n + i]] += scores[m];
      counts[coalitions[m * n + i]]++;
    }
    // A player that was never there (or never away) has no value; its error says so by being the values' own scale.
    const means = [sums[0] / Math.max(1, counts[0]), sums[1] / Math.max(1, counts[1])];
    values[i] = counts[0] && counts[1] ? means[1] - means[0] : 0;
    let squares = 0;
    for (let m = 0; m < count; m += 2) {
      let part = 0;
      for (let k = m; k < Math.min(count, m + 2); k++) {
        const side = coalitions[k * n + i];
        part += ((side ? 1 : -1) * (scores[k] - means[side])) / Math.max(1, counts[side]);
      }
      squares += part * part;
    }
    standardError[i] = Math.sqrt(squares);
  }
  return { values, standardError };
}

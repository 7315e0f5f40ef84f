/**
 * @file Shapley values by permutations with their reverses (Castro et al. 2009; Mitchell et al., JMLR 2022: antithetic permutations), or by
 * listing all coalitions of a small game.
 */
import { RandomStream } from '../../../tensor/random.ts';
import { endsOf, type Game } from '../../game.ts';
import { allCoalitions } from '../coalitions.ts';
import { exactShapley } from './exact.ts';
import { type PlayerValues, total } from './player-values.ts';

/** How many coalitions may be asked for. */
export interface ShapleyOptions {
  /** Coalitions; all are listed where there are no more. A permutation takes n − 1. */
  readonly samples: number;
  readonly seed: number;
}

/** Pairs of permutations whose coalitions are asked for at once. */
const PAIRS_AT_ONCE = 64;

/** Values add up to value(all) − value(none), whatever was drawn; at least two pairs of permutations are. */
export async function shapley(game: Game, options: ShapleyOptions): Promise<PlayerValues> {
  const { samples, seed } = options;
  const n = game.players;
  if (n <= 24 && 2 ** n <= samples) {
    const scores = await game.values(allCoalitions(n));
    return exact(exactShapley(scores, n), scores);
  }
  const { full, empty } = await endsOf(game);
  const pairs = permutationPairs(samples, n);
  const reader = new RandomStream(seed, 'shapley').reader(0, 0);
  const players = Array.from({ length: n }, (_, i) => i);
  const sums = new Float64Array(n);
  const squares = new Float64Array(n);
  for (let from = 0; from < pairs; from += PAIRS_AT_ONCE) {
    const orders = Array.from({ length: Math.min(PAIRS_AT_ONCE, pairs - from) }, () => reader.shuffle(players)).flatMap(order => [
      order,
      order.toReversed(),
    ]);
    const scores = await game.values(chains(orders, n));
    const marginal = new Float64Array(n);
    orders.forEach((order, o) => {
      let before = empty;
      order.forEach((i, k) => {
        const after = k === n - 1 ? full : scores[o * (n - 1) + k];
        marginal[i] += (after - before) / 2;
        before = after;
      });
      if (o % 2 === 0) return;
      for (let i = 0; i < n; i++) {
        sums[i] += marginal[i];
        squares[i] += marginal[i] ** 2;
      }
      marginal.fill(0);
    });
  }
  const values = sums.map(s => s / pairs);
  const standardError = squares.map((s, i) => Math.sqrt(Math.max(0, s / pairs - values[i] ** 2) / (pairs - 1)));
  return { values, standardError, convergenceDelta: total(values) - (full - empty), samples: 2 + pairs * 2 * (n - 1) };
}

/** Pairs of permutations that a number of coalitions pays for, at least 2 so that there is a standard error. */
export const permutationPairs = (samples: number, n: number): number => Math.max(2, Math.floor((samples - 2) / (2 * (n - 1))));

const exact = (values: Float64Array, scores: Float64Array): PlayerValues => ({
  values,
  standardError: new Float64Array(values.length),
  convergenceDelta: total(values) - (scores[scores.length - 1] - scores[0]),
  samples: scores.length,
});

/** The coalitions on each permutation's way, without both ends: [orders · (n − 1), n]. */
function chains(orders: readonly (readonly number[])[], n: number): Uint8Array {
  const out = new Uint8Array(orders.length * (n - 1) * n);
  orders.forEach((order, o) => {
    for (let k = 0; k < n - 1; k++) for (let j = 0; j <= k; j++) out[(o * (n - 1) + k) * n + order[j]] = 1;
  });
  return out;
}

/** @file Orders of a map's players, and the curves that removing or inserting them in order gives. */
import type { Game } from '../../attribution/game.ts';

/** Players from the highest value to the lowest; equal ones in their own order. */
export const descending = (map: ArrayLike<number>): number[] =>
  Array.from({ length: map.length }, (_, i) => i).sort((a, b) => map[b] - map[a] || a - b);

/** Whether a map has only one value, and so no order. */
export const isConstant = (map: ArrayLike<number>): boolean => {
  for (let i = 1; i < map.length; i++) if (map[i] !== map[0]) return false;
  return true;
};

/** Scores while players go (`deletion`: best first, from all to none) and while they come (`insertion`: best first, from none to all). */
export interface RemovalCurves {
  /** Share of the players that were moved, from 0 to 1. */
  readonly shares: readonly number[];
  readonly deletion: readonly number[];
  readonly insertion: readonly number[];
}

/** The numbers of players at `steps` equal steps, 0 and all included; 0 or more steps than players: every number. */
export function counts(players: number, steps: number): number[] {
  const n = steps > 0 ? Math.min(steps, players) : players;
  return Array.from({ length: n + 1 }, (_, k) => Math.round((k * players) / n));
}

/** Both curves of a map's order, for plots; equal values keep their own order. @param steps as in `counts` */
export const removalCurve = (game: Game, map: ArrayLike<number>, steps = 0): Promise<RemovalCurves> =>
  removalCurves(game, descending(map), steps);

/**
 * Both curves of an order (RISE, Petsiuk et al., BMVC 2018, over patches or words).
 * @param steps as in `counts`
 */
export async function removalCurves(game: Game, order: readonly number[], steps: number): Promise<RemovalCurves> {
  const n = game.players;
  const moved = counts(n, steps);
  const rows = new Uint8Array(2 * moved.length * n);
  for (const [k, count] of moved.entries()) {
    rows.fill(1, k * n, (k + 1) * n);
    for (let i = 0; i < count; i++) {
      rows[k * n + order[i]] = 0;
      rows[(moved.length + k) * n + order[i]] = 1;
    }
  }
  const values = await game.values(rows);
  return {
    shares: moved.map(count => count / n),
    deletion: Array.from(values.subarray(0, moved.length)),
    insertion: Array.from(values.subarray(moved.length)),
  };
}

/** Area under a curve over [0, 1], trapezoids over the true shares; equal steps by default. */
export function areaUnder(
  curve: ArrayLike<number>,
  shares: ArrayLike<number> = Array.from(curve, (_, i) => i / (curve.length - 1)),
): number {
  let area = 0;
  for (let i = 1; i < curve.length; i++) area += ((shares[i] - shares[i - 1]) * (curve[i] + curve[i - 1])) / 2;
  return area;
}

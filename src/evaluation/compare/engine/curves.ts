/** @file Insertion and deletion curves of a map (Petsiuk et al., RISE, BMVC 2018) in a game, for the report's plots. */
import type { Game } from '../../../attribution/game.ts';
import type { Curves } from './record.ts';

/** Points of a curve beside its start. */
const STEPS = 16;

/**
 * Values of the game as players come (insertion) or go (deletion), best first, at equal shares of the players; for few players, one by one.
 * Ties keep the players' order.
 */
export async function curvesOf(game: Game, map: Float32Array): Promise<Curves> {
  const n = game.players;
  const steps = Math.min(STEPS, n);
  const order = [...map.keys()].sort((a, b) => map[b] - map[a] || a - b);
  const coalitions = new Uint8Array(2 * (steps + 1) * n);
  for (let k = 0; k <= steps; k++) {
    const best = order.slice(0, Math.round((k / steps) * n));
    coalitions.fill(1, (steps + 1 + k) * n, (steps + 2 + k) * n);
    for (const i of best) {
      coalitions[k * n + i] = 1;
      coalitions[(steps + 1 + k) * n + i] = 0;
    }
  }
  const values = [...(await game.values(coalitions))];
  return { insertion: values.slice(0, steps + 1), deletion: values.slice(steps + 1) };
}

/** @file Occlusion: what the value loses when players are taken out (Zeiler and Fergus, ECCV 2014; captum's FeatureAblation). */
import type { Game } from '../../game.ts';
import type { PlayerValues } from './player-values.ts';

/**
 * value(all) − value(all without a window), for every window; a player gets the mean over the windows that hold it.
 * @param windows lists of players; every single player by default (leave one out)
 */
export async function occlude(game: Game, windows?: readonly (readonly number[])[]): Promise<PlayerValues> {
  const n = game.players;
  const taken = windows ?? Array.from({ length: n }, (_, i) => [i]);
  const coalitions = new Uint8Array((taken.length + 1) * n).fill(1);
  taken.forEach((window, k) => {
    for (const i of window) coalitions[(k + 1) * n + i] = 0;
  });
  const scores = await game.values(coalitions);
  const values = new Float64Array(n);
  const counts = new Float64Array(n);
  taken.forEach((window, k) => {
    for (const i of window) {
      values[i] += scores[0] - scores[k + 1];
      counts[i]++;
    }
  });
  return { values: values.map((v, i) => v / Math.max(1, counts[i])), samples: taken.length + 1 };
}

/** All squares of w × w on a grid (cut to the grid's size), one step apart. */
export function slidingWindows([rows, columns]: readonly [number, number], w: number): number[][] {
  const [tall, wide] = [Math.min(w, rows), Math.min(w, columns)];
  const out: number[][] = [];
  for (let y = 0; y + tall <= rows; y++)
    for (let x = 0; x + wide <= columns; x++)
      out.push(Array.from({ length: tall * wide }, (_, i) => (y + Math.floor(i / wide)) * columns + x + (i % wide)));
  return out;
}

/** @file Interactions of players as interactions of patches and tokens. */
import type { MethodRun } from '../method.ts';
import type { Interactions } from '../result.ts';
import type { Players } from './players.ts';

/**
 * Spreads values of pairs of players evenly over their patches and tokens, so that sums hold.
 * @param cross [patch players, word players]
 */
export function jointInteractions(
  run: Pick<MethodRun, 'image' | 'text'>,
  p: number,
  cross: ArrayLike<number>,
  patches: Players,
  words: Players,
  standardError?: ArrayLike<number>,
): Interactions {
  const tokens = run.text.players[p];
  const count = run.image.players[p].length;
  const column = new Map(tokens.map((t, c) => [t, c]));
  const spread = (from: ArrayLike<number>): Float32Array => {
    const out = new Float32Array(count * tokens.length);
    patches.forEach((group, i) => {
      words.forEach((word, j) => {
        const share = from[i * words.length + j] / (group.length * word.length);
        for (const patch of group) for (const t of word) out[patch * tokens.length + column.get(t)!] += share;
      });
    });
    return out;
  };
  return {
    values: spread(cross),
    patches: count,
    tokens,
    ...(standardError ? { standardError: spread(standardError) } : {}),
  };
}

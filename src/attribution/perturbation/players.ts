/** @file Who plays: patches or blocks of patches, words or tokens, each as a group of a tower's tokens. */
import { mergeWords } from '../../inputs/text/words.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { EncodedPairs } from '../pair.ts';

/** One list of token indices per player. Patches count from the first patch (prefix left out), caption tokens from the text's first. */
export type Players = readonly (readonly number[])[];

/**
 * Patches of a grid as players, row by row; with `block` k, squares of k × k patches (smaller at the right and the bottom).
 * @throws NarrowsError for a block that leaves a single player
 */
export function patchPlayers([rows, columns]: readonly [number, number], block = 1): Players {
  const across = Math.ceil(columns / block);
  const players: number[][] = Array.from({ length: Math.ceil(rows / block) * across }, () => []);
  for (let i = 0; i < rows * columns; i++)
    players[Math.floor(Math.floor(i / columns) / block) * across + Math.floor((i % columns) / block)].push(i);
  if (players.length < 2 && rows * columns > 1)
    throw new NarrowsError(
      `Blocks of ${block} × ${block} patches make one player of a grid of ${rows} × ${columns}; choose smaller ones.`,
      {
        kind: 'usage',
      },
    );
  return players;
}

/**
 * A caption's words (sub-words joined) or its tokens as players; special tokens never play. Pairs without a caption's text (goldens) have
 * tokens only.
 * @throws NarrowsError for a caption without any
 */
export function captionPlayers(encoded: EncodedPairs, p: number, unit: 'word' | 'token' = 'word'): Players {
  const { tokens } = encoded.text.batch.rows[p];
  const { text } = encoded.pairs[p];
  const single = tokens.flatMap((t, i) => (t.special ? [] : [[i]]));
  const zero = new Float32Array(tokens.length);
  const players = unit === 'word' && text !== '' ? mergeWords(text, tokens, zero).map(w => w.tokens) : single;
  if (players.length === 0) throw new NarrowsError(`The caption ${JSON.stringify(text)} has no words that could be removed.`);
  return players;
}

/**
 * Values of players as values of tokens: each token gets an equal share of its player's, so that sums hold.
 * @param offset added to a player's token indices (the image tower's prefix)
 * @returns [tokens], 0 for tokens of no player
 */
export function overTokens(values: ArrayLike<number>, players: Players, tokens: number, offset = 0): Float32Array {
  const out = new Float32Array(tokens);
  players.forEach((group, i) => {
    for (const t of group) out[offset + t] += values[i] / group.length;
  });
  return out;
}

/**
 * @file A cooperative game: the score of an image or a caption when only some of its players (patches, words) are there. Perturbation
 * methods and faithfulness metrics see nothing else of a model, so they can be tested on games whose answer is known.
 */

/** Removed patches become the mean colour (0 in normalised space), a blurred copy, or are hidden from attention. */
export type ImageRemoval = 'mean' | 'blur' | 'drop';
/** Removed words are hidden from attention, or taken out of the caption; BOS and EOS stay. */
export type TextRemoval = 'mask' | 'delete';

/** A game of n players. */
export interface Game {
  /** Number of players. */
  readonly players: number;
  /**
   * Values of coalitions.
   * @param coalitions [M, n], 1 = the player is there
   * @returns M values
   */
  values(coalitions: Uint8Array): Promise<Float64Array>;
}

/** M coalitions over all players or none, for the two ends of a game. */
export async function endsOf(game: Game): Promise<{ full: number; empty: number }> {
  const both = new Uint8Array(2 * game.players);
  both.fill(1, 0, game.players);
  const [full, empty] = await game.values(both);
  return { full, empty };
}

/** An additive game: the value of a coalition is `offset` plus the sum of its players' worth. For tests and closed forms. */
export function additiveGame(worth: ArrayLike<number>, offset = 0): Game {
  const n = worth.length;
  return {
    players: n,
    async values(coalitions) {
      return Float64Array.from({ length: coalitions.length / n }, (_, m) => {
        let sum = offset;
        for (let i = 0; i < n; i++) if (coalitions[m * n + i]) sum += worth[i];
        return sum;
      });
    },
  };
}

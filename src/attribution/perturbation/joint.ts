/** @file What methods of both towers together share: a loop over pairs, and interactions of players as those of patches and tokens. */
import type { MethodMaps, MethodRun, TokenMap } from '../method.ts';
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

/** One pair's maps and interactions. */
export interface JointMaps {
  readonly image: TokenMap;
  readonly text: TokenMap;
  readonly interactions: Interactions;
}

/** Runs a joint method pair by pair; maps of a modality that nobody asked for are left out. Says so where another target was asked for. */
export async function explainJoint(run: MethodRun, explain: (p: number) => Promise<JointMaps>): Promise<MethodMaps> {
  if (run.image.target.kind !== 'caption')
    run.warn('Interactions explain the cosine of image and caption; the other target is left aside.');
  const started = performance.now();
  const all: JointMaps[] = [];
  for (const p of run.encoded.pairs.keys()) all.push(await explain(p));
  run.timings['explain both'] = (run.timings['explain both'] ?? 0) + (performance.now() - started) / 1000;
  return {
    ...(run.wanted.includes('image') ? { image: all.map(a => a.image) } : {}),
    ...(run.wanted.includes('text') ? { text: all.map(a => a.text) } : {}),
    interactions: all.map(a => a.interactions),
  };
}

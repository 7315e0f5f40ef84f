/** @file Puts per-token values of one or several seeds into result objects. */
import { mergeWords } from '../inputs/text/words.ts';
import { NarrowsError } from '../system/errors.ts';
import { spearman } from '../tensor/statistics/rank.ts';
import type { EncodedPairs } from './pair.ts';
import type { Convergence, ImageAttribution, Stability, TextAttribution } from './result.ts';

/** Mean per token over seeds. @throws NarrowsError when a value is not finite: a map never holds NaN */
function average(seeds: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(seeds[0].length);
  for (let i = 0; i < out.length; i++) out[i] = seeds.reduce((sum, s) => sum + s[i], 0) / seeds.length;
  const bad = out.findIndex(v => !Number.isFinite(v));
  if (bad >= 0) throw new NarrowsError(`The map has a value that is not finite at token ${bad}; lower the learning rate.`);
  return out;
}

/** Spearman's correlation; where a map has one value alone and so no ranking: 1 if the other has none either, else 0. */
function agreement(a: readonly number[], b: readonly number[]): number {
  const [flatA, flatB] = [a, b].map(map => map.every(v => v === map[0]));
  return flatA || flatB ? Number(flatA && flatB) : spearman(a, b);
}

/** Spread over seeds; ranks are compared over the displayed tokens alone. */
function stability(seeds: readonly Float32Array[], first: number, displayed: readonly number[]): Stability | undefined {
  if (seeds.length < 2) return undefined;
  const mean = average(seeds);
  const standardDeviation = Float32Array.from(mean, (m, i) =>
    Math.sqrt(seeds.reduce((sum, s) => sum + (s[i] - m) ** 2, 0) / (seeds.length - 1)),
  );
  const shown = seeds.map(s => displayed.map(i => s[i]));
  let total = 0;
  let pairs = 0;
  for (let a = 0; a < shown.length; a++)
    for (let b = a + 1; b < shown.length; b++) {
      total += agreement(shown[a], shown[b]);
      pairs++;
    }
  return { seeds: seeds.map((_, i) => first + i), standardDeviation, rankStability: total / pairs };
}

const toBits = (values: Float32Array): number => values.reduce((a, b) => a + b, 0) / Math.LN2;

/** @param seeds values per token [N] of pair p, one array per seed, the first made with `seed` */
export function imageAttribution(
  encoded: EncodedPairs,
  p: number,
  seed: number,
  seeds: readonly Float32Array[],
  convergence: Convergence,
): ImageAttribution {
  const { grid, views, hidden } = encoded.image;
  const prefixTokens = hidden.shape[1] - grid[0] * grid[1];
  const tokens = average(seeds);
  const displayed = [...tokens.keys()].slice(prefixTokens);
  return {
    tokens,
    prefixTokens,
    grid,
    patches: tokens.slice(prefixTokens),
    view: views[p],
    totalBits: toBits(tokens),
    convergence,
    stability: stability(seeds, seed, displayed),
  };
}

/** @param seeds values per token [T] of pair p (padding is cut off), one array per seed */
export function textAttribution(
  encoded: EncodedPairs,
  p: number,
  seed: number,
  seeds: readonly Float32Array[],
  convergence: Convergence,
): TextAttribution {
  const { tokens } = encoded.text.batch.rows[p];
  const own = seeds.map(s => s.subarray(0, tokens.length));
  const values = average(own);
  const displayed = tokens.flatMap((t, i) => (t.special ? [] : [i]));
  return {
    tokens: tokens.map((t, i) => ({ ...t, value: values[i] })),
    words: mergeWords(encoded.pairs[p].text, tokens, values),
    totalBits: toBits(values),
    convergence,
    stability: stability(own, seed, displayed),
  };
}

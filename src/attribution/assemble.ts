/** @file Puts per-token values of one or several seeds into result objects. */
import { mergeWords } from '../inputs/text/words.ts';
import { NarrowsError } from '../system/errors.ts';
import { spearman } from '../tensor/statistics/rank.ts';
import { judgeConvergence } from './convergence.ts';
import type { TokenMap } from './method.ts';
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

/** Spearman's correlation; where a map has only one value and so no ranking: 1 if the other has none either, else 0. */
function agreement(a: readonly number[], b: readonly number[]): number {
  const [flatA, flatB] = [a, b].map(map => map.every(v => v === map[0]));
  return flatA || flatB ? Number(flatA && flatB) : spearman(a, b);
}

/** Spread over seeds; ranks are compared over the displayed tokens only. */
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

/** What a method gave for one pair, one map per seed, the first made with `seed`. */
export interface Gathered {
  readonly seed: number;
  readonly nats: boolean;
  /** What was explained, in words. */
  readonly target: string;
  /** The target of the undisturbed input. */
  readonly score: number;
  readonly maps: readonly TokenMap[];
}

/** What both modalities record of the maps. */
function record(given: Gathered, tokens: Float32Array) {
  const { maps, nats, score, target } = given;
  const first = maps[0];
  // Seeds are independent, so the variance of their mean is the mean variance over their number.
  const standardError =
    first.standardError &&
    Float32Array.from(tokens, (_, i) => Math.sqrt(maps.reduce((sum, m) => sum + m.standardError![i] ** 2, 0)) / maps.length);
  const delta = maps.reduce((sum, m) => sum + (m.convergenceDelta ?? 0), 0) / maps.length;
  return {
    target,
    score,
    convergence: convergence(maps, score, nats),
    ...(nats ? { totalBits: toBits(tokens) } : {}),
    ...(standardError ? { standardError } : {}),
    ...(first.convergenceDelta === undefined ? {} : { convergenceDelta: delta }),
  };
}

/** A verdict on the curves, averaged over seeds. */
function convergence(maps: readonly TokenMap[], score: number, nats: boolean): Convergence {
  if (!maps[0].curves) return { verdict: 'no-optimisation', note: 'This method does not optimise.', fit: [], compression: [] };
  const average = (name: 'fit' | 'compression'): number[] =>
    maps[0].curves![name].map((_, i) => maps.reduce((sum, m) => sum + m.curves![name][i], 0) / maps.length);
  return judgeConvergence(average('fit'), average('compression'), score, nats);
}

/** @param given maps over the image's tokens [N]; `size`: pixels of the model's view, height and width */
export function imageAttribution(
  encoded: EncodedPairs,
  p: number,
  given: Gathered & { readonly size: readonly [number, number] },
): ImageAttribution {
  const { grid, views, hidden } = encoded.image;
  const prefixTokens = hidden.shape[1] - grid[0] * grid[1];
  const seeds = given.maps.map(m => m.tokens);
  const tokens = average(seeds);
  const displayed = [...tokens.keys()].slice(prefixTokens);
  const [height, width] = given.size;
  return {
    tokens,
    prefixTokens,
    grid,
    patches: tokens.slice(prefixTokens),
    ...(given.maps[0].pixels ? { pixels: { height, width, values: average(given.maps.map(m => m.pixels!)) } } : {}),
    view: views[p],
    stability: stability(seeds, given.seed, displayed),
    ...record(given, tokens),
  };
}

/** @param given maps over the caption's tokens [T]; padding is cut off */
export function textAttribution(encoded: EncodedPairs, p: number, given: Gathered): TextAttribution {
  const { tokens } = encoded.text.batch.rows[p];
  const shifted = given.maps.map(m => ({
    ...m,
    tokens: m.tokens.subarray(0, tokens.length),
    standardError: m.standardError?.subarray(0, tokens.length),
  }));
  const seeds = shifted.map(m => m.tokens);
  const values = average(seeds);
  const displayed = tokens.flatMap((t, i) => (t.special ? [] : [i]));
  return {
    tokens: tokens.map((t, i) => ({ ...t, value: values[i] })),
    words: mergeWords(encoded.pairs[p].text, tokens, values),
    stability: stability(seeds, given.seed, displayed),
    ...record({ ...given, maps: shifted }, values),
  };
}

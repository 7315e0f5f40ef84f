/** @file Games over patches, words, or both, on top of the perturbation engine; and the products that make m + n encodes into m·n values. */
import type { FloatTensor } from '../../tensor/tensor.ts';
import type { Game, ImageRemoval, TextRemoval } from '../game.ts';
import { chunks, row } from '../rows.ts';
import { scoreFeatures, type Target } from '../target.ts';
import type { Perturbation } from './perturbation.ts';
import { captionPlayers, type Players, patchPlayers } from './players.ts';

/** Coalitions whose features are held at once. */
const BLOCK = 8192;

/**
 * The target of pair p as a game over patches (or other players of its picture). Features are kept by the engine, so games of other
 * targets on the same picture cost nothing.
 */
export function imageGame(
  engine: Perturbation,
  p: number,
  target: Target,
  options: { readonly removal?: ImageRemoval; readonly players?: Players } = {},
): Game {
  const players = options.players ?? patchPlayers(engine.context.encoded.image.grid);
  return towerGame(players.length, p, target, part => engine.imageFeatures(p, part, { ...options, players }));
}

/** The target of pair p as a game over its caption's words (or other players of the caption). */
export function textGame(
  engine: Perturbation,
  p: number,
  target: Target,
  options: { readonly removal?: TextRemoval; readonly players?: Players } = {},
): Game {
  const players = options.players ?? captionPlayers(engine.context.encoded, p);
  return towerGame(players.length, p, target, part => engine.textFeatures(p, part, { ...options, players }));
}

/** The cosine of pair p as a game over patches, then words. */
export function jointGame(
  engine: Perturbation,
  p: number,
  options: {
    readonly imageRemoval?: ImageRemoval;
    readonly textRemoval?: TextRemoval;
    readonly imagePlayers?: Players;
    readonly textPlayers?: Players;
  } = {},
): Game {
  const imagePlayers = options.imagePlayers ?? patchPlayers(engine.context.encoded.image.grid);
  const textPlayers = options.textPlayers ?? captionPlayers(engine.context.encoded, p);
  const [n, k] = [imagePlayers.length, textPlayers.length];
  return {
    players: n + k,
    async values(coalitions) {
      return inBlocks(coalitions, n + k, async part => {
        const count = part.length / (n + k);
        const [patches, words] = [new Uint8Array(count * n), new Uint8Array(count * k)];
        for (let m = 0; m < count; m++) {
          patches.set(part.subarray(m * (n + k), m * (n + k) + n), m * n);
          words.set(part.subarray(m * (n + k) + n, (m + 1) * (n + k)), m * k);
        }
        const u = await engine.imageFeatures(p, patches, { removal: options.imageRemoval, players: imagePlayers });
        const w = await engine.textFeatures(p, words, { removal: options.textRemoval, players: textPlayers });
        return Float64Array.from({ length: count }, (_, m) => dot(u.data, m, w.data, m, u.shape[1]));
      });
    },
  };
}

/**
 * Cosines of all m images with all k texts.
 * @param images unit features [m, E]; @param texts [k, E]
 * @returns [m, k], sums in double precision
 */
export function crossValues(images: FloatTensor, texts: FloatTensor): Float64Array {
  const [m, width] = images.shape;
  const k = texts.shape[0];
  const out = new Float64Array(m * k);
  // Four texts at a time read an image's feature once.
  for (let a = 0; a < m; a++) {
    const at = a * width;
    let b = 0;
    for (; b + 3 < k; b += 4) {
      const [t0, t1, t2, t3] = [b * width, (b + 1) * width, (b + 2) * width, (b + 3) * width];
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let e = 0; e < width; e++) {
        const u = images.data[at + e];
        s0 += u * texts.data[t0 + e];
        s1 += u * texts.data[t1 + e];
        s2 += u * texts.data[t2 + e];
        s3 += u * texts.data[t3 + e];
      }
      out[a * k + b] = s0;
      out[a * k + b + 1] = s1;
      out[a * k + b + 2] = s2;
      out[a * k + b + 3] = s3;
    }
    for (; b < k; b++) out[a * k + b] = dot(images.data, a, texts.data, b, width);
  }
  return out;
}

/** Scores of unit features [M, E] against the target of pair p. */
export const scoresOf = (target: Target, p: number, features: FloatTensor): Float64Array =>
  Float64Array.from({ length: features.shape[0] }, (_, m) => scoreFeatures(target, p, row(features, m)));

function towerGame(n: number, p: number, target: Target, features: (part: Uint8Array) => Promise<FloatTensor>): Game {
  return { players: n, values: coalitions => inBlocks(coalitions, n, async part => scoresOf(target, p, await features(part))) };
}

async function inBlocks(coalitions: Uint8Array, n: number, values: (part: Uint8Array) => Promise<Float64Array>): Promise<Float64Array> {
  const out = new Float64Array(coalitions.length / n);
  for (const [from, to] of chunks(out.length, BLOCK)) out.set(await values(coalitions.subarray(from * n, to * n)), from);
  return out;
}

function dot(a: Float32Array, i: number, b: Float32Array, j: number, width: number): number {
  let sum = 0;
  for (let e = 0; e < width; e++) sum += a[i * width + e] * b[j * width + e];
  return sum;
}

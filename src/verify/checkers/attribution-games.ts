/**
 * @file Occlusion, and exact Shapley values, Banzhaf values and interactions by listing every coalition: `image.occlusion_patches`,
 * `exact.image|text|joint.shapley|banzhaf|banzhaf_pairs`, `exact.values.corners` (none or all patches by none or all words). Patches are
 * grouped to players by `exact.player_mask` [H, W] where the file has it; removed patches are 0, removed words hidden from attention.
 */

import { occlusion } from '../../attribution/methods/occlusion.ts';
import { allCoalitions } from '../../attribution/perturbation/coalitions.ts';
import { exactBanzhaf, exactBanzhafPairs, exactShapley } from '../../attribution/perturbation/estimators/exact.ts';
import { crossValues } from '../../attribution/perturbation/games.ts';
import { Perturbation } from '../../attribution/perturbation/perturbation.ts';
import { captionPlayers, type Players, patchPlayers } from '../../attribution/perturbation/players.ts';
import { floats } from '../../tensor/tensor.ts';
import { attributionInputs, type NoInputs } from '../attribution-inputs.ts';
import type { Checker, Computed, VerifyContext } from '../checker.ts';
import type { TensorPairs } from '../tensor-run.ts';
import { encodeTensors, explainTensors } from '../tensor-run.ts';
import { COSINE_SCALE } from '../tolerance.ts';

const OCCLUSION = 'image.occlusion_patches';
const EXACT = /^exact\.(?:(image|text|joint)\.(shapley|banzhaf|banzhaf_pairs)|values\.corners)$/;
const PLAYERS = 'exact.player_mask';

/** Coalitions of both sides together that may be listed. */
const MOST_PLAYERS = 22;

/** One pair; every coalition of each side is encoded once. */
export const attributionGamesChecker: Checker = {
  name: 'games over patches and words',
  role: name => (name === PLAYERS ? 'input' : name === OCCLUSION || EXACT.test(name) ? 'value' : undefined),
  async *compute(context, names) {
    const inputs = await attributionInputs(context);
    if ('reason' in inputs) {
      for (const name of names) yield { name, reason: inputs.reason };
      return;
    }
    if (names.includes(OCCLUSION)) {
      const { image } = await explainTensors(context.model, occlusion, inputs, { wanted: ['image'] });
      const patches = image![0].tokens.slice(context.model.image.prefixTokens);
      yield { name: OCCLUSION, kind: 'forward', value: floats(context.reference.shape(OCCLUSION), patches), scaleFloor: COSINE_SCALE };
    }
    const wanted = names.filter(name => EXACT.test(name));
    if (wanted.length === 0) return;
    const values = await listedValues(context, inputs);
    for (const name of wanted) {
      if ('reason' in values) yield { name, reason: values.reason };
      else yield exactValue(name, values);
    }
  },
};

/** Cosines of all coalitions of n patch players (rows) with all of k words (columns). */
interface Listed {
  readonly n: number;
  readonly k: number;
  readonly values: Float64Array;
}

async function listedValues(context: VerifyContext, inputs: TensorPairs): Promise<Listed | NoInputs> {
  const { model } = context;
  const encoded = await encodeTensors(model, inputs, { image: -1, text: -1 });
  const patches = await imagePlayers(context, inputs, encoded.image.grid);
  if ('reason' in patches) return patches;
  const words = captionPlayers(encoded, 0, 'token');
  const [n, k] = [patches.length, words.length];
  if (n + k > MOST_PLAYERS) return { reason: `${n} patches and ${k} words have too many coalitions to list` };
  await using engine = new Perturbation({ model, encoded });
  const images = await engine.imageFeatures(0, allCoalitions(n), { players: patches });
  const texts = await engine.textFeatures(0, allCoalitions(k), { players: words });
  return { n, k, values: crossValues(images, texts) };
}

/** Patches by the number that the mask has at their top left pixel. */
async function imagePlayers(context: VerifyContext, inputs: TensorPairs, grid: readonly [number, number]): Promise<Players | NoInputs> {
  if (!context.reference.has(PLAYERS)) return patchPlayers(grid);
  const { shape, data } = await context.reference.integers(PLAYERS);
  const [, , height, width] = inputs.pixelValues.shape;
  if (shape.join() !== [height, width].join())
    return { reason: `${PLAYERS} is [${shape.join(', ')}], not the pixels' [${height}, ${width}]` };
  const [rows, columns] = grid;
  const groups: number[][] = [];
  for (let i = 0; i < rows * columns; i++) {
    const [y, x] = [Math.floor((Math.floor(i / columns) * height) / rows), Math.floor(((i % columns) * width) / columns)];
    const player = Number(data[y * width + x]);
    groups[player] = [...(groups[player] ?? []), i];
  }
  const players = Array.from(groups);
  return players.some(group => group === undefined) ? { reason: `${PLAYERS} does not number its players from 0 without gaps` } : players;
}

/** Cosines, or sums and differences of them. */
const cosineValue = (name: string, shape: readonly number[], values: ArrayLike<number>): Computed => ({
  name,
  kind: 'forward',
  value: floats(shape, values),
  scaleFloor: COSINE_SCALE,
});

/** All values of a game of cosines. */
function exactValue(name: string, { n, k, values }: Listed): Computed {
  const [, side, what] = EXACT.exec(name)!;
  const [rows, columns] = [2 ** n, 2 ** k];
  const all = columns - 1;
  if (!side) {
    const corners = [values[0], values[all], values[(rows - 1) * columns], values[rows * columns - 1]];
    return cosineValue(name, [4], corners);
  }
  const games: Record<string, [Float64Array, number]> = {
    image: [Float64Array.from({ length: rows }, (_, m) => values[m * columns + all]), n],
    text: [values.subarray((rows - 1) * columns), k],
    joint: [values, n + k],
  };
  const [game, players] = games[side];
  if (what === 'banzhaf_pairs') return cosineValue(name, [players, players], exactBanzhafPairs(game, players));
  return cosineValue(name, [players], (what === 'shapley' ? exactShapley : exactBanzhaf)(game, players));
}

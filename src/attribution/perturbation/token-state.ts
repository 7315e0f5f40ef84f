/**
 * @file What the perturbation engine holds of one picture or caption: its tokens at the input of the first block, whole and removed, from
 * which each coalition picks. Patch embedding and positions act on tokens one by one, so they run once, not once per coalition.
 */
import { broadcastTo, type CompiledGraph, compile, equal, input, type Keep, normalise, unsqueeze, where } from '../../graph/index.ts';
import type { DualEncoder, Modality, TowerInputs } from '../../models/dual-encoder.ts';
import { graphKey } from '../../models/graph-key.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { type FloatTensor, floats, ints, type Tensor } from '../../tensor/tensor.ts';
import type { ImageRemoval } from '../game.ts';
import type { EncodedPairs } from '../pair.ts';
import { rows } from '../rows.ts';
import { gaussianBlur } from './blur.ts';
import { contentName } from './feature-store.ts';
import type { Players } from './players.ts';

/** One picture or caption. */
export interface TokenState {
  /** Of the content and the removal. */
  readonly name: string;
  /** Of the graph that encodes coalitions. */
  readonly graph: string;
  readonly modality: 'image' | 'text';
  /** N */
  readonly tokens: number;
  /** [1, N, D] */
  readonly full: FloatTensor;
  /** What stands for removed tokens, [1, N, D]; where there is none, removed tokens are hidden from attention. */
  readonly removed?: FloatTensor;
  /** The tower's inputs, one row, and those that its blocks need. */
  readonly inputs: TowerInputs;
  readonly side: TowerInputs;
  /** Pictures: normalised pixels [1, 3, H, W], whole and removed. */
  readonly pixels?: FloatTensor;
  readonly removedPixels?: FloatTensor;
}

/** The blur's deviation, in sides of a patch: what is finer than a patch is gone. */
const BLUR = 0.5;

const selectionKey = (modality: Modality, inputs: TowerInputs, hidden: FloatTensor, hide: boolean): string =>
  graphKey('coalitions', { modality, layer: -1, inputs, hidden }, { hide });

/** Pair p's picture; for `mean`, removed pixels are 0 in normalised space. */
export async function pictureState(
  model: DualEncoder,
  encoded: EncodedPairs,
  p: number,
  removal: ImageRemoval,
  keep: Keep,
): Promise<TokenState> {
  const pixels = rows(encoded.image.inputs.pixel_values as FloatTensor, [p, p + 1]);
  const [, , height] = pixels.shape;
  const sigma = (BLUR * height) / encoded.image.grid[0];
  const removedPixels = removal === 'blur' ? gaussianBlur(pixels, sigma) : floats(pixels.shape, new Float32Array(pixels.data.length));
  const both = new Float32Array(2 * pixels.data.length);
  both.set(pixels.data);
  both.set(removedPixels.data, pixels.data.length);
  const inputs = model.imageInputs(floats([2, ...pixels.shape.slice(1)], both));
  const graph = await keep(graphKey('embeddings', { modality: 'image', layer: -1, inputs }), () => {
    const hidden = model.image.embed(model.image.source(inputs), inputs);
    return compile(model.runtime, { hidden }, { prepack: false });
  });
  const hidden = (await graph.run(inputs)).hidden as FloatTensor;
  const pictureInputs = model.imageInputs(pixels);
  return {
    name: `${removal}:${await contentName(pixels)}`,
    graph: selectionKey('image', pictureInputs, hidden, removal === 'drop'),
    modality: 'image',
    tokens: hidden.shape[1],
    full: rows(hidden, [0, 1]),
    ...(removal === 'drop' ? {} : { removed: rows(hidden, [1, 2]) }),
    inputs: pictureInputs,
    side: model.image.suffixFeeds(pictureInputs),
    pixels,
    removedPixels,
  };
}

/** Pair p's caption without its batch's padding; removed tokens are hidden from attention. */
export async function captionState(model: DualEncoder, encoded: EncodedPairs, p: number, keep: Keep): Promise<TokenState> {
  const { ids } = encoded.text.batch.rows[p];
  const inputIds = ints([1, ids.length], ids);
  const inputs = model.textInputs(inputIds);
  const graph = await keep(graphKey('embeddings', { modality: 'text', layer: -1, inputs }), () => {
    const hidden = model.text.embed(model.text.source(inputs), inputs);
    return compile(model.runtime, { hidden }, { prepack: false });
  });
  const full = (await graph.run(inputs)).hidden as FloatTensor;
  return {
    name: await contentName(inputIds),
    graph: selectionKey('text', inputs, full, true),
    modality: 'text',
    tokens: full.shape[1],
    full,
    inputs,
    side: model.text.suffixFeeds(inputs),
  };
}

/** The graph that encodes coalitions of such a state: `full` [1, N, D], `removed`, `keep` [batch, N] -> unit `features` [batch, E]. */
export async function selectionGraph(model: DualEncoder, state: TokenState): Promise<CompiledGraph> {
  const tower = model[state.modality];
  const tokens = state.modality === 'image' ? state.tokens : 'seq';
  const keep = input('keep', ['batch', tokens]);
  const full = input('full', [1, tokens, tower.width]);
  const hidden = state.removed
    ? where(equal(unsqueeze(keep, 2), 0), input('removed', [1, tokens, tower.width]), full)
    : broadcastTo(full, ['batch', tokens, tower.width], unsqueeze(keep, 2));
  const features = tower.suffix(-1, hidden, 1, state.inputs, state.removed ? {} : { keyMask: keep });
  return compile(model.runtime, { features: normalise(features) });
}

/** Which tokens stay, [m, N]: all but those of absent players. @param coalitions [m, n]; `offset` as in `overTokens` */
export function tokenKeeps(coalitions: Uint8Array, players: Players, tokens: number, offset: number): Float32Array {
  const n = players.length;
  const count = coalitions.length / n;
  const out = new Float32Array(count * tokens).fill(1);
  for (let m = 0; m < count; m++)
    for (let i = 0; i < n; i++) if (!coalitions[m * n + i]) for (const t of players[i]) out[m * tokens + offset + t] = 0;
  return out;
}

/** One row of inputs, `count` times. */
export const repeatFeeds = (feeds: TowerInputs, count: number): Feeds =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, t]): [string, Tensor] => {
      const data = new (t.data.constructor as new (length: number) => typeof t.data)(t.data.length * count);
      for (let m = 0; m < count; m++) data.set(t.data as never, m * t.data.length);
      return [name, { dtype: t.dtype, shape: [count, ...t.shape.slice(1)], data }];
    }),
  );

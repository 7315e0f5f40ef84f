/**
 * @file The factorised perturbation engine: unit features of a picture or a caption of which only some players are there. Towers are
 * encoded apart, so m coalitions of patches and n of words give m·n values, and one set of masked images serves every prompt.
 */
import { add, type CompiledGraph, compile, GraphCache, input, type Keep, mul, normalise, sub, unsqueeze } from '../../graph/index.ts';
import type { DualEncoder, Modality } from '../../models/dual-encoder.ts';
import { graphKey } from '../../models/graph-key.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { PromiseCache } from '../../system/promise-cache.ts';
import { type FloatTensor, floats, ints } from '../../tensor/tensor.ts';
import type { ImageRemoval, TextRemoval } from '../game.ts';
import { MAX_MEMORY, rowsThatFit } from '../memory.ts';
import type { EncodedPairs } from '../pair.ts';
import { chunks } from '../rows.ts';
import { unit } from '../target.ts';
import { coalitionKeys } from './coalitions.ts';
import { FeatureStore } from './feature-store.ts';
import { captionPlayers, type Players, patchPlayers } from './players.ts';
import { captionState, pictureState, repeatFeeds, selectionGraph, type TokenState, tokenKeeps } from './token-state.ts';

/** What the engine works on; a `MethodRun` is one. */
export interface PerturbationContext {
  readonly model: DualEncoder;
  readonly encoded: EncodedPairs;
  /** Bytes that one run's intermediate values may take; 512 MiB by default. */
  readonly maxMemory?: number;
  readonly signal?: AbortSignal;
  /** Features kept from elsewhere, to share them between metrics; a store of its own by default. */
  readonly features?: FeatureStore;
  /** Where compiled graphs live; the engine keeps them itself (until `release`) by default. */
  readonly keep?: Keep;
  /** Called for every row that is really encoded. */
  passes?(modality: Modality, rows: number, forwardBlocks: number): void;
  /** Called for every coalition that is answered. */
  advance?(units?: number): void;
}

/** Encodes coalitions of the pairs of one batch. */
export class Perturbation implements AsyncDisposable {
  private readonly graphs = new GraphCache();
  private readonly states = new PromiseCache<TokenState>();

  constructor(readonly context: PerturbationContext) {}

  /**
   * Unit features of pair p's picture under coalitions of patches. Prefix tokens always stay. With `drop` and a head that pools over all
   * tokens, the coalition of nobody is the mean-coloured picture, as no token would be left to read.
   * @param coalitions [M, n], 1 = there; @param options `players`: single patches by default
   * @returns [M, E]
   */
  async imageFeatures(
    p: number,
    coalitions: Uint8Array,
    options: { readonly removal?: ImageRemoval; readonly players?: Players } = {},
  ): Promise<FloatTensor> {
    const { removal = 'mean' } = options;
    const { model, encoded } = this.context;
    const players = options.players ?? patchPlayers(encoded.image.grid);
    const state = await this.states.get(`picture:${removal}:${p}`, () => pictureState(model, encoded, p, removal, this.keep));
    const headOverAll = model.image.pooling === 'attention' && removal === 'drop';
    return this.answer(`${state.name}:${JSON.stringify(players)}`, 'image', coalitions, players.length, async rows => {
      const features = await this.select(state, tokenKeeps(rows, players, state.tokens, model.image.prefixTokens));
      if (!headOverAll) return features;
      const width = features.length / (rows.length / players.length);
      for (let m = 0; m * players.length < rows.length; m++) {
        const row = rows.subarray(m * players.length, (m + 1) * players.length);
        if (row.every(v => v === 0)) features.set((await this.imageFeatures(p, row, { removal: 'mean', players })).data, m * width);
      }
      return features;
    });
  }

  /**
   * Unit features of pair p's caption under coalitions of words. Special tokens (and a model's fixed padding) always stay.
   * @param coalitions [M, n]; @param options `players`: words by default (see `captionPlayers`)
   * @returns [M, E]
   */
  async textFeatures(
    p: number,
    coalitions: Uint8Array,
    options: { readonly removal?: TextRemoval; readonly players?: Players } = {},
  ): Promise<FloatTensor> {
    const { removal = 'mask' } = options;
    const { model, encoded } = this.context;
    const players = options.players ?? captionPlayers(encoded, p);
    const state = await this.states.get(`caption:${p}`, () => captionState(model, encoded, p, this.keep));
    return this.answer(`${state.name}:${removal}:${JSON.stringify(players)}`, 'text', coalitions, players.length, rows => {
      const keeps = tokenKeeps(rows, players, state.tokens, 0);
      return removal === 'mask' ? this.select(state, keeps) : this.deleteTokens(encoded.text.batch.rows[p].ids, keeps, state.tokens);
    });
  }

  /**
   * Unit features of pair p's picture under soft masks over pixels: x·m + removed·(1 − m).
   * @param masks `mask(i)` is [H·W] in 0…1, asked for when it is needed; equal names promise equal masks
   * @returns [M, E]
   */
  async softImageFeatures(
    p: number,
    masks: { readonly name: string; readonly count: number; readonly mask: (i: number) => Float32Array },
    removal: 'mean' | 'blur' = 'mean',
  ): Promise<FloatTensor> {
    const { model } = this.context;
    const state = await this.states.get(`picture:${removal}:${p}`, () => pictureState(model, this.context.encoded, p, removal, this.keep));
    const { pixels, removedPixels } = state as Required<TokenState>;
    const [, channels, height, width] = pixels.shape;
    const inputs = model.imageInputs(pixels);
    const graph = await this.keep(graphKey('soft masks', { modality: 'image', layer: -1, inputs }), () => {
      const [x, away] = ['full_pixels', 'removed_pixels'].map(name => input(name, [1, channels, height, width]));
      const source = add(away, mul(unsqueeze(input('mask', ['batch', height, width]), 1), sub(x, away)));
      return compile(model.runtime, { features: normalise(model.image.suffix(-1, model.image.embed(source, inputs), 1, inputs)) });
    });
    const ids = Uint16Array.from({ length: masks.count * 2 }, (_, i) => (i & 1 ? i >>> 17 : (i >>> 1) & 0xffff));
    const names = Array.from({ length: masks.count }, (_, i) => String.fromCharCode(ids[2 * i], ids[2 * i + 1]));
    return this.fill(`${state.name}:soft:${masks.name}`, 'image', names, async wanted => {
      const data = new Float32Array(wanted.length * height * width);
      wanted.forEach((m, i) => {
        data.set(masks.mask(m), i * height * width);
      });
      const mask = floats([wanted.length, height, width], data);
      return (await graph.run({ full_pixels: pixels, removed_pixels: removedPixels, mask })).features.data as Float32Array;
    });
  }

  /** Unit features of any images of the model's size, [M, 3, H, W] -> [M, E]; nothing is kept. */
  async pixelFeatures(pixels: FloatTensor): Promise<FloatTensor> {
    const { model } = this.context;
    const size = pixels.data.length / pixels.shape[0];
    const names = Array.from({ length: pixels.shape[0] }, () => '');
    return this.fill(undefined, 'image', names, async wanted => {
      const from = wanted[0];
      const part = floats([wanted.length, ...pixels.shape.slice(1)], pixels.data.subarray(from * size, (from + wanted.length) * size));
      return unitRows(await model.imageFeatures(part));
    });
  }

  /** Closes what the engine itself keeps. */
  async release(): Promise<void> {
    void this.states.clear();
    await this.graphs.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  private readonly keep: Keep = (key, build) => (this.context.keep ?? this.graphs.keep)(key, build);

  /** Coalitions from the store, the others through `encode` (which gets distinct coalitions, a chunk at a time). */
  private answer(
    scene: string,
    modality: Modality,
    coalitions: Uint8Array,
    n: number,
    encode: (rows: Uint8Array) => Promise<Float32Array>,
  ): Promise<FloatTensor> {
    return this.fill(scene, modality, coalitionKeys(coalitions, n), wanted => {
      const rows = new Uint8Array(wanted.length * n);
      wanted.forEach((m, i) => {
        rows.set(coalitions.subarray(m * n, (m + 1) * n), i * n);
      });
      return encode(rows);
    });
  }

  /** @param scene undefined: nothing is kept, and equal names mean nothing */
  private async fill(
    scene: string | undefined,
    modality: Modality,
    names: readonly string[],
    encode: (wanted: readonly number[]) => Promise<Float32Array>,
  ): Promise<FloatTensor> {
    const { model, signal, maxMemory = MAX_MEMORY } = this.context;
    const tower = model[modality];
    const store = this.context.features ?? (await this.keep('features of coalitions', async () => new FeatureStore()));
    const out = new Float32Array(names.length * tower.features);
    const places = new Map<string, number[]>();
    names.forEach((name, m) => {
      const known = scene === undefined ? undefined : store.get(scene, name);
      if (known) out.set(known, m * tower.features);
      else if (scene === undefined) places.set(`${m}`, [m]);
      else if (places.has(name)) places.get(name)!.push(m);
      else places.set(name, [m]);
    });
    const todo = [...places];
    const tokens = this.context.encoded[modality].hidden.shape[1];
    this.context.advance?.(names.length - todo.length);
    for (const [from, to] of chunks(
      todo.length,
      Math.min(Math.max(16, RUN_TOKENS / tokens), rowsThatFit(maxMemory, tower, tokens, tower.layers, false)),
    )) {
      signal?.throwIfAborted();
      const part = todo.slice(from, to);
      const wanted = part.map(([, at]) => at[0]);
      // A single row goes through other kernels, whose rounding differs: what is kept must not depend on what was known before.
      const features = await encode(scene !== undefined && wanted.length === 1 ? [wanted[0], wanted[0]] : wanted);
      part.forEach(([name, at], i) => {
        const row = features.subarray(i * tower.features, (i + 1) * tower.features);
        for (const m of at) out.set(row, m * tower.features);
        if (scene !== undefined) store.set(scene, name, row);
      });
      this.context.passes?.(modality, part.length, tower.layers);
      this.context.advance?.(part.length);
    }
    return floats([names.length, tower.features], out);
  }

  /** Runs the blocks over rows picked from the full and the removed embeddings. @param keeps [m, N] */
  private async select(state: TokenState, keeps: Float32Array): Promise<Float32Array> {
    const count = keeps.length / state.tokens;
    const graph = await this.keep(state.graph, () => selectionGraph(this.context.model, state));
    const feeds: Feeds = { ...repeatFeeds(state.side, count), full: state.full, keep: floats([count, state.tokens], keeps) };
    return await features(graph, state.removed ? { ...feeds, removed: state.removed } : feeds);
  }

  /** Captions with tokens taken out, one length at a time so that no padding is needed. @param keeps [m, N], N from `ids.length` on */
  private async deleteTokens(ids: readonly number[], keeps: Float32Array, tokens: number): Promise<Float32Array> {
    const { model } = this.context;
    const count = keeps.length / tokens;
    const out = new Float32Array(count * model.text.features);
    const byLength = new Map<number, { at: number; ids: number[] }[]>();
    for (let m = 0; m < count; m++) {
      const left = ids.filter((_, i) => keeps[m * tokens + i] === 1);
      byLength.set(left.length, [...(byLength.get(left.length) ?? []), { at: m, ids: left }]);
    }
    for (const [length, texts] of byLength) {
      // As in `fill`: never a single row.
      const both = texts.length === 1 ? [...texts, ...texts] : texts;
      const rows = unitRows(
        await model.textFeatures(
          ints(
            [both.length, length],
            both.flatMap(t => t.ids),
          ),
        ),
      );
      texts.forEach(({ at }, i) => {
        out.set(rows.subarray(i * model.text.features, (i + 1) * model.text.features), at * model.text.features);
      });
    }
    return out;
  }
}

/** Tokens of one run, about: longer runs are not faster, and leave the processor's caches. */
const RUN_TOKENS = 4096;

const features = async (graph: CompiledGraph, feeds: Feeds): Promise<Float32Array> =>
  (await graph.run(feeds)).features.data as Float32Array;

/** Unit rows of [M, E]. */
function unitRows(t: FloatTensor): Float32Array {
  const width = t.shape[1];
  const out = new Float32Array(t.data.length);
  for (let at = 0; at < t.data.length; at += width) out.set(unit(t.data.subarray(at, at + width)), at);
  return out;
}

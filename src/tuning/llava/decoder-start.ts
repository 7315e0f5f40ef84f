/**
 * @file How a decoder starts behind the stage on patches, instead of with numbers that are small at random: words and patches of one scale, a
 * head that finds the patch of a word, and something for it to look at where no patch shows the word. Whether a thing is there is a match that can
 * fail; a decoder from random numbers learns what is a sum over patches (colours, choices) long before it comes upon such a match.
 */
import type { LlavaConfig } from '../../models/llava/config.ts';
import { decoderConfig } from '../../models/llava/text-config.ts';
import { initialNormals, initialOrthonormal } from '../../nn/initial.ts';
import type { Parameter } from '../../optim/adamw.ts';
import { CHAT_TOKENS, chatTokenId } from '../../scenes/chat-tokenizer.ts';
import { NarrowsError } from '../../system/errors.ts';
import { NAMING_WORDS } from './patch-labels.ts';
import { placeDirections } from './patch-places.ts';
import { thingDirections } from './thing-facts.ts';

/** The scale step. */
export interface ScaleStart {
  /**
   * Factor of the final norm before anything else; .7 by default: the stage on patches leaves logits so sharp that what the blocks add to a
   * patch's word at first hardly counts.
   */
  readonly norm?: number;
}

/** The matching head. Vectors that a block reads are normed to a root mean square of 1. */
export interface MatchStart {
  /** Expected score of head 0 between a vector and itself, where rotary positions leave it as it is; 22.5 by default: one patch among 67 tokens gets all. */
  readonly score?: number;
  /** Cosine between a row of its W_q and that of its W_k; .8 by default. The rest is random, so that training has more than one direction to turn to. */
  readonly alike?: number;
  /** Singular values of W_v; .07 by default, about what random numbers of a standard deviation of .02 have on average. */
  readonly value?: number;
  /** Length of what a head's output adds where all attention lies on one vector, if all heads see it: 6 by default, somewhat less than half of √192. */
  readonly copied?: number;
}

/** The sink. */
export interface SinkStart {
  /** How much of the sink's direction each naming word gets, by the naming words' mean length; .22 by default: a match of its own is far stronger. */
  readonly share?: number;
}

/** The mark of patches. */
export interface MarkStart {
  /** Length of what is added to every patch, whose own is about √width (14 for 192); 5 by default: plain to see, and little of a patch's room. */
  readonly length?: number;
  /**
   * What head 0 adds to its score where a name looks at a patch; 13 by default. A name matches itself best of all (with `MatchStart.score`, by default 22.5), and
   * the word of a patch is like it by some .6 only, which is 13.5: it takes as much again for a name to find its patch and not itself.
   */
  readonly score?: number;
}

/** The parts of the start; each that is given is done, in this order. */
export interface DecoderStart {
  readonly scale?: ScaleStart;
  readonly sink?: SinkStart;
  /** Needs `sink`, by which names are known, and `match`. */
  readonly mark?: MarkStart;
  readonly match?: MatchStart;
}

const TABLE = 'model.language_model.embed_tokens.weight';
const NORM = 'model.language_model.norm.weight';
const PROJECTOR_OUT = 'model.multi_modal_projector.linear_2';

type Named = ReadonlyMap<string, Parameter>;

const times = (data: Float32Array, factor: number): void => {
  for (let i = 0; i < data.length; i++) data[i] *= factor;
};

const lengthOf = (x: Float32Array): number => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));

/** The table's rows of naming words (live arrays). */
function namingRows(named: Named): Float32Array[] {
  const { data, shape } = named.get(TABLE)!;
  return NAMING_WORDS.map(id => data.subarray(id * shape[1], (id + 1) * shape[1]));
}

/**
 * Final norm × `norm`; then the table by 1/r, r being the root mean square of the naming words' rows, and the final norm by r, so that logits stay;
 * and the projector's output by 1/`patchRms`. Words of .1 beside patches of 55 would be invisible from the first block on.
 */
function scaleStart(named: Named, patchRms: number, { norm = 0.7 }: ScaleStart): void {
  const rows = namingRows(named);
  const table = named.get(TABLE)!;
  const rms = Math.sqrt(rows.reduce((sum, row) => sum + lengthOf(row) ** 2, 0) / (rows.length * table.shape[1]));
  times(table.data, 1 / rms);
  times(named.get(NORM)!.data, norm * rms);
  for (const part of ['weight', 'bias']) times(named.get(`${PROJECTOR_OUT}.${part}`)!.data, 1 / patchRms);
}

/** Changes a vector [width] in place to what is upright on others of length 1 that are upright on one another, of length 1. */
function makeUpright(vector: Float32Array, others: readonly Float32Array[]): Float32Array {
  for (const other of others) {
    const along = vector.reduce((sum, v, i) => sum + v * other[i], 0);
    for (let i = 0; i < vector.length; i++) vector[i] -= along * other[i];
  }
  times(vector, 1 / lengthOf(vector));
  return vector;
}

const rowsOf = (directions: Float32Array, width: number): Float32Array[] =>
  Array.from({ length: directions.length / width }, (_, i) => directions.subarray(i * width, (i + 1) * width));

/** The sink's direction [width]: of length 1, upright on those of the place, so that no patch is a sink by where it stands. */
export const sinkDirection = (width: number): Float32Array =>
  makeUpright(initialNormals('sink', width, 1, 0), rowsOf(placeDirections(width), width));

/** The mark's direction [width]: of length 1, upright on the sink's and on all that patches say of places and things. */
export function markDirection(width: number): Float32Array {
  const things = rowsOf(thingDirections(width), width);
  // The sink's without what it has of things, which it need not be upright on.
  return makeUpright(initialNormals('mark', width, 1, 0), [...things, makeUpright(sinkDirection(width), things)]);
}

/**
 * Adds `share` · n · c to the row of every naming word and puts n · c in the place of `<s>`, n being the rows' mean length before. `<s>` is then
 * what all names have in common: it draws the attention of a name that finds no patch.
 */
function sinkStart(named: Named, { share = 0.22 }: SinkStart): void {
  const rows = namingRows(named);
  const { data, shape } = named.get(TABLE)!;
  const [, width] = shape;
  const direction = sinkDirection(width);
  const mean = rows.reduce((sum, row) => sum + lengthOf(row), 0) / rows.length;
  for (const row of rows) for (let i = 0; i < width; i++) row[i] += share * mean * direction[i];
  const first = chatTokenId('<s>') * width;
  for (let i = 0; i < width; i++) data[first + i] = mean * direction[i];
}

/** Adds `length` · d to every patch, d being the mark's direction. */
function markStart(named: Named, { length = 5 }: MarkStart): void {
  const { data } = named.get(`${PROJECTOR_OUT}.bias`)!;
  const direction = markDirection(data.length);
  for (const [i, v] of direction.entries()) data[i] += length * v;
}

/**
 * Makes one dimension of head 0 in every block say "a name looks at a patch": its row of W_q along the sink's direction, which all names share,
 * its row of W_k along the mark's, of lengths that make the score of both `score`. The dimension is the one that rotary positions turn least.
 */
function markScore(named: Named, config: LlavaConfig, { length = 5, score = 13 }: MarkStart, { share = 0.22 }: SinkStart): void {
  const { hidden_size: width, num_hidden_layers: layers } = config.text_config;
  const { head_dim: head } = decoderConfig(config);
  const [name, patch] = [share / Math.hypot(1, share), length / Math.hypot(Math.sqrt(width), length)].map(part => part * Math.sqrt(width));
  const gain = Math.sqrt((score * Math.sqrt(head)) / (name * patch));
  const at = head / 2 - 1;
  for (let layer = 0; layer < layers; layer++) {
    const row = (part: string): Float32Array =>
      named.get(`model.language_model.layers.${layer}.self_attn.${part}_proj.weight`)!.data.subarray(at * width, (at + 1) * width);
    row('q').set(sinkDirection(width).map(v => gain * v));
    row('k').set(markDirection(width).map(v => gain * v));
  }
}

/**
 * In every block: head 0 has W_k = g · (orthonormal rows) and W_q = a · W_k + √(1 − a²) · (random rows of length g), with a = `alike` and
 * g² = `score` / (a √d) for heads of width d; and all heads together W_v = `value` · O and W_o = `copied` / (`value` · √width) · Oᵀ, O orthogonal, so
 * that what a head attends to comes out as it is.
 */
function matchStart(named: Named, config: LlavaConfig, seed: number, settings: MatchStart): void {
  const { score = 22.5, alike = 0.8, value = 0.07, copied = 6 } = settings;
  const { hidden_size: width, num_hidden_layers: layers } = config.text_config;
  const { head_dim: head, num_attention_heads: heads, num_key_value_heads: keys } = decoderConfig(config);
  if (keys !== heads || heads * head !== width)
    throw new NarrowsError(
      `A matching start needs heads with keys of their own that fill the decoder's width; these are ${heads} heads of ${head} with ${keys} for keys and values, in a width of ${width}.`,
      { kind: 'usage' },
    );
  const gain = Math.sqrt(score / (alike * Math.sqrt(head)));
  for (let layer = 0; layer < layers; layer++) {
    const weight = (part: string): Float32Array => named.get(`model.language_model.layers.${layer}.self_attn.${part}_proj.weight`)!.data;
    const key = initialOrthonormal(`start.${layer}.key`, head, width, seed);
    times(key, gain);
    weight('k').set(key);
    const noise = initialNormals(`start.${layer}.query`, head * width, gain / Math.sqrt(width), seed);
    weight('q').set(noise.map((v, i) => alike * key[i] + Math.sqrt(1 - alike * alike) * v));
    const through = initialOrthonormal(`start.${layer}.value`, width, width, seed);
    const out = copied / (value * Math.sqrt(width));
    weight('v').set(through.map(v => value * v));
    weight('o').set(through.map((_, i) => out * through[(i % width) * width + Math.floor(i / width)]));
  }
}

/**
 * Changes fresh parameters in place. @param patchRms root mean square of projected patches as they are (`measurePatchRms`); used by `scale` only
 * @throws NarrowsError (usage) where the vocabulary is not the scenes', or the decoder's shape is not one that can match
 */
export function startDecoder(
  parameters: readonly Parameter[],
  config: LlavaConfig,
  start: DecoderStart,
  { seed, patchRms = 1 }: { readonly seed: number; readonly patchRms?: number },
): void {
  const named: Named = new Map(parameters.map(p => [p.name, p]));
  if (named.get(TABLE)?.shape[0] !== CHAT_TOKENS.length)
    throw new NarrowsError("A decoder's start of scenes needs a model of the scenes' own words.", { kind: 'usage' });
  if (start.scale) scaleStart(named, patchRms, start.scale);
  if (start.mark && !(start.sink && start.match))
    throw new NarrowsError('A mark of patches needs the sink, by which names are known, and a matching start; give both.', {
      kind: 'usage',
    });
  if (start.sink) sinkStart(named, start.sink);
  if (start.match) matchStart(named, config, seed, start.match);
  if (start.mark) {
    markStart(named, start.mark);
    markScore(named, config, start.mark, start.sink!);
  }
}

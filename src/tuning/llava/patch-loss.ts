/**
 * @file A loss on each projected patch by itself: that the decoder's norm and table read in it the word of what it shows (as a logit lens
 * does), and that two fixed directions of it say where it is. Words and patches meet by it before, or while, a decoder learns to use them.
 */
import { add, constant, crossEntropy, div, input, linear, mean, mul, rmsNorm, sub, type Value } from '../../graph/index.ts';
import { imageTokens, type LlavaConfig } from '../../models/llava/config.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { NAMING_WORDS, PATCH_COLORS, PATCH_WORDS } from './patch-labels.ts';
import { AMPLITUDE, patchPlaces, placeDirections } from './patch-places.ts';
import { PATCH_THINGS, THING_FACTS, thingDirections } from './thing-facts.ts';

/** What is asked of patches. */
export interface PatchLossSettings {
  /** Of all terms together, next to a decoder's loss. Below 1 there: whole answers are what counts in the end. */
  readonly weight: number;
  /**
   * Of the background's colour in patches that show no thing, against 1 for the words of things; none by default. Small, since such patches
   * are many, alike and soon right; not 0, since a question about the colour then finds its answer in any of them.
   */
  readonly background?: number;
  /**
   * Of the place; none by default. A decoder's positions count patches row by row, so a column is only to be had from a patch itself, and
   * the tower's features hold it so faintly that answers hardly bring it out.
   */
  readonly position?: number;
  /**
   * Of what patches say of the thing that they show (`thingFacts`: the place of its middle, its size, whether this patch is its middle), in place
   * of `position`; none by default.
   */
  readonly things?: number;
  /**
   * How far a patch at the border stands out along the directions of its place, once its root mean square is 1 (its length is then the
   * root of the width: 14 for 192); by default 3: plain to see, and little of the room that the word has.
   */
  readonly amplitude?: number;
  /**
   * A patch chooses among words of things and colours only, not among all words: words that patches never say ("yes", "the", an answer's end) are
   * then not pushed away from patches before the decoder has used them. All words by default.
   */
  readonly amongNames?: boolean;
}

/** What a stage on patches asks, where nothing else is trained. */
export const PATCH_STAGE_LOSS: PatchLossSettings = { weight: 1, background: 0.2, position: 1 };

/** How far patches stand out along what they say of things; undefined where a loss does not ask it. */
export const thingsAmplitude = (settings: PatchLossSettings | undefined): number | undefined =>
  settings?.things ? (settings.amplitude ?? AMPLITUDE) : undefined;

/** What is read in projected patches [images, N, width]: `logits` [images, N, vocabulary], `places` [images, N, 2] and `things` [images, N, 4]. */
export function readPatches(
  p: Parameters,
  { text_config: text }: LlavaConfig,
  patches: Value,
): { logits: Value; places(): Value; things(): Value } {
  const { hidden_size: width, vocab_size: vocabulary, rms_norm_eps: epsilon } = text;
  const table = p.get('model.language_model.embed_tokens.weight', [vocabulary, width]);
  const logits = linear(rmsNorm(patches, p.get('model.language_model.norm.weight', [width]), epsilon), table);
  const ones = constant(floats([width], new Float32Array(width).fill(1)));
  // Without the norm's weight: what a decoder's first block reads is normed by a weight of its block.
  const along = (directions: Float32Array): Value =>
    linear(rmsNorm(patches, ones, epsilon), constant(floats([directions.length / width, width], directions)));
  return { logits, places: () => along(placeDirections(width)), things: () => along(thingDirections(width)) };
}

/** Squared distance from where the patch is, over the variance of that: 1 for a patch that says nothing. */
function placeLoss(places: Value, config: LlavaConfig, amplitude: number | undefined): Value {
  const where = patchPlaces(config, amplitude);
  const variance = where.reduce((sum, v) => sum + v * v, 0) / where.length;
  const off = sub(places, constant(floats([where.length / 2, 2], where)));
  return mul(mean(mul(off, off)), 1 / variance);
}

/** Squared distance from what should be said, over the variance of that in the batch, which is 1 for patches that say the same everywhere; the mean of all four. */
function thingLoss(things: Value): Value {
  const asked = input(PATCH_THINGS, ['images', things.shape[1], THING_FACTS.length]);
  const over = (x: Value): Value => mean(x, [0, 1]);
  const middle = over(asked);
  const off = sub(things, asked);
  // The small number is for a batch of pictures without a thing.
  return mean(div(over(mul(off, off)), add(sub(over(mul(asked, asked)), mul(middle, middle)), 1e-3)));
}

/** 0 for the words that patches are asked for, so little for others that their probability is 0. */
function onlyNames(vocabulary: number): FloatTensor {
  const out = new Float32Array(vocabulary).fill(-1e9);
  for (const id of NAMING_WORDS) out[id] = 0;
  return floats([vocabulary], out);
}

/**
 * Declares the inputs `patch_words` and, where they are asked for, `patch_colors` and `patch_things` (`PatchLabels`).
 * @param patches [images, N, width], projected @returns the loss, and its terms before their weights
 */
export function patchLoss(
  p: Parameters,
  config: LlavaConfig,
  patches: Value,
  { weight, background = 0, position = 0, things = 0, amplitude, amongNames }: PatchLossSettings,
): { loss: Value; terms: Record<string, Value> } {
  const labels = (name: string): Value => input(name, ['images', imageTokens(config)], 'int32');
  const { logits: all, places, things: facts } = readPatches(p, config, patches);
  const logits = amongNames ? add(all, constant(onlyNames(config.text_config.vocab_size))) : all;
  const terms: Record<string, Value> = { patch_word: crossEntropy(logits, labels(PATCH_WORDS)) };
  let loss = terms.patch_word;
  if (background) {
    terms.patch_background = crossEntropy(logits, labels(PATCH_COLORS));
    loss = add(loss, mul(terms.patch_background, background));
  }
  if (position) {
    terms.patch_place = placeLoss(places(), config, amplitude);
    loss = add(loss, mul(terms.patch_place, position));
  }
  if (things) {
    terms.patch_thing = thingLoss(facts());
    loss = add(loss, mul(terms.patch_thing, things));
  }
  return { loss: mul(loss, weight), terms };
}

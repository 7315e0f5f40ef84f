/** @file Loss and retrieval of a CLIP on image–caption pairs, within groups of 100. */
import type { Feeds } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { asFloats } from '../../tensor/tensor.ts';
import type { Note } from '../batch-loader.ts';
import { dot, type Encoders, place, splitRows } from './evaluate.ts';
import type { PairReader } from './pair-batch.ts';
import type { Pair } from './pairs.ts';

/** Pairs that differ from each other. */
export const GROUP = 100;

/** Results per pair, so that intervals can be bootstrapped. */
export interface PairScores {
  /** Mean of both directions' cross-entropies, as in training. */
  readonly loss: number[];
  /** 1 where the image finds its text first, and the text its image. */
  readonly image_to_text: number[];
  readonly text_to_image: number[];
}

const crossEntropy = (logits: readonly number[], right: number): number => {
  const top = Math.max(...logits);
  return Math.log(logits.reduce((sum, v) => sum + Math.exp(v - top), 0)) + top - logits[right];
};

/**
 * Runs all measures. Equal captions count as one target, unless `distinct`: who gives one of them is right. @param scale exp(logit_scale), at most 100; @param weights the model's tensors, or {} for frozen graphs
 * @throws NarrowsError naming the line of an image that cannot be read, unless `note` is given
 */
export async function evaluatePairs(
  encoders: Encoders,
  weights: Feeds,
  reader: PairReader,
  pairs: readonly Pair[],
  scale: number,
  { note, distinct = false }: { readonly note?: Note; readonly distinct?: boolean } = {},
): Promise<PairScores> {
  const scores: PairScores = { loss: [], image_to_text: [], text_to_image: [] };
  const all = [...Array(reader.grid).keys()];
  for (let from = 0; from < pairs.length; from += GROUP) {
    const group = pairs.slice(from, from + GROUP);
    const read = await reader.images(group);
    const images: Float32Array[] = [];
    const texts: string[] = [];
    for (const [i, image] of read.entries()) {
      if (image instanceof Float32Array) {
        images.push(image);
        texts.push(group[i].text);
      } else if (note && image instanceof NarrowsError) note(`Left out of the evaluation: ${image.message}`, group[i].place);
      else throw image;
    }
    if (images.length === 0) continue;
    const batch = reader.tensors(images, Array(images.length).fill(all), texts);
    const n = images.length;
    const imageRows = splitRows(asFloats((await encoders.image.run({ ...weights, ...batch })).embeds), n);
    const textRows = splitRows(asFloats((await encoders.text.run({ ...weights, ...batch })).embeds), n);
    for (let i = 0; i < n; i++) {
      const toTexts = textRows.map(t => scale * dot(imageRows[i], t));
      const toImages = imageRows.map(v => scale * dot(textRows[i], v));
      scores.loss.push((crossEntropy(toTexts, i) + crossEntropy(toImages, i)) / 2);
      const isRight = (j: number): boolean => (distinct ? j === i : texts[j] === texts[i]);
      scores.image_to_text.push(place(imageRows[i], textRows, i, isRight) === 0 ? 1 : 0);
      scores.text_to_image.push(place(textRows[i], imageRows, i, isRight) === 0 ? 1 : 0);
    }
  }
  return scores;
}

/** @file Retrieval among groups of pairs, pair by pair, so that intervals can be taken over pairs. */

import { cosine } from '../../attribution/pair.ts';
import { row } from '../../attribution/rows.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import { stackImages } from '../../inputs/image/processor.ts';
import type { DualEncoder } from '../../models/dual-encoder.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';

/** A pair in a folder. */
export interface FilePair {
  readonly image: string;
  readonly text: string;
}

/** Pairs that differ from one another. */
export const GROUP = 50;

/** Per pair: the mean of image-to-text and text-to-image top-1 among its group (0, ½ or 1). Equal captions count as right. */
export async function retrieval(model: DualEncoder, pairs: readonly FilePair[]): Promise<number[]> {
  const scores: number[] = [];
  const tokenizer = model.requireTokenizer();
  for (let from = 0; from < pairs.length; from += GROUP) {
    const group = pairs.slice(from, from + GROUP);
    const images = await Promise.all(group.map(async p => model.processor.process(await decodeImage(p.image)).pixelValues));
    const { inputIds, attentionMask } = tokenizer.encodeBatch(
      group.map(p => p.text),
      { maxLength: model.maxTextLength },
    );
    const seen = await model.imageFeatures(stackImages(images));
    const said = await model.textFeatures(inputIds, attentionMask);
    const best = (queries: FloatTensor, other: FloatTensor, i: number): number => {
      const values = group.map((_, j) => cosine(row(queries, i), row(other, j)));
      return values.indexOf(Math.max(...values));
    };
    for (const [i, pair] of group.entries()) {
      const right = [group[best(seen, said, i)].text === pair.text, group[best(said, seen, i)].text === pair.text];
      scores.push(right.filter(Boolean).length / 2);
    }
  }
  return scores;
}

/** @file Loss and retrieval of a CLIP on image–caption pairs, within groups of 100. */

import { pictureFile } from '../../inputs/tables/picture-reference.ts';
import { fileStamps } from '../../node/file-stamps.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { asFloats } from '../../tensor/tensor.ts';
import type { Note } from '../batch-loader.ts';
import type { BatchFigures, Exam, ExamBatch } from '../evaluation.ts';
import { dot, type Encoders, meanOf, place, splitRows } from './evaluate.ts';
import type { PairReader } from './pair-batch.ts';
import type { Pair } from './pairs.ts';

/** Pairs that differ from each other. */
export const GROUP = 100;

/** Mean over the right places of the cross-entropy in nats. */
const crossEntropy = (logits: readonly number[], right: readonly number[]): number => {
  const top = Math.max(...logits);
  const mean = right.reduce((sum, j) => sum + logits[j], 0) / right.length;
  return Math.log(logits.reduce((sum, v) => sum + Math.exp(v - top), 0)) + top - mean;
};

/** What pairs are evaluated with. */
export interface PairEvaluation {
  readonly encoders: Encoders;
  /** The model's tensors, or {} for frozen graphs. */
  readonly weights: Feeds;
  readonly reader: PairReader;
  /** exp(logit_scale), at most 100. */
  readonly scale: number;
  /** SHA-256 of the list. */
  readonly hash: string;
  /** Called with pictures that cannot be read, which are then left out. */
  readonly note?: Note;
  /** Only a pair's caption of the same line is right; by default equal captions count as one target. */
  readonly distinct?: boolean;
}

/** Loss, and retrieval in both directions, of pairs in groups of 100. A picture that cannot be read fails its group, unless `note` is given. */
export async function pairExam(evaluation: PairEvaluation, pairs: readonly Pair[]): Promise<Exam> {
  const groups = Array.from({ length: Math.ceil(pairs.length / GROUP) }, (_, i) => pairs.slice(i * GROUP, (i + 1) * GROUP));
  const batches = groups.map(async (group): Promise<ExamBatch> => {
    const files = await fileStamps(group.map(pair => pictureFile(pair.image)));
    return {
      units: group.length,
      key: JSON.stringify([evaluation.hash, !!evaluation.distinct, files]),
      compute: () => scoreGroup(evaluation, group),
    };
  });
  return {
    name: 'the validation pairs',
    batches: await Promise.all(batches),
    figures(results) {
      const lists = ['loss', 'image_to_text', 'text_to_image'].map(key => [key, results.flatMap(result => result[key])] as const);
      if (lists[0][1].length === 0) throw new NarrowsError('no picture of the validation pairs can be read.');
      const left = results.reduce((sum, result) => sum + result.left_out[0], 0);
      return {
        ...Object.fromEntries(lists.map(([key, values]) => [`eval_${key}`, meanOf(values)])),
        ...(left ? { eval_left_out: left } : {}),
      };
    },
  };
}

/** Per pair: the mean of both directions' cross-entropies, as in training; 1 where the image finds its text first, and the text its image. */
async function scoreGroup(
  { encoders, weights, reader, scale, note, distinct = false }: PairEvaluation,
  group: readonly Pair[],
): Promise<BatchFigures> {
  const scores = { loss: [] as number[], image_to_text: [] as number[], text_to_image: [] as number[], left_out: [0] };
  const all = [...Array(reader.grid).keys()];
  const images: Float32Array[] = [];
  const texts: string[] = [];
  for (const [i, image] of (await reader.images(group)).entries()) {
    if (image instanceof Float32Array) {
      images.push(image);
      texts.push(group[i].text);
    } else if (note && image instanceof NarrowsError) {
      scores.left_out[0]++;
      note(`Left out of the evaluation: ${image.message}`, group[i].place);
    } else throw image;
  }
  if (images.length === 0) return scores;
  const batch = reader.tensors(images, Array(images.length).fill(all), texts);
  const n = images.length;
  const imageRows = splitRows(asFloats((await encoders.image.run({ ...weights, ...batch })).embeds), n);
  const textRows = splitRows(asFloats((await encoders.text.run({ ...weights, ...batch })).embeds), n);
  for (let i = 0; i < n; i++) {
    const toTexts = textRows.map(t => scale * dot(imageRows[i], t));
    const toImages = imageRows.map(v => scale * dot(textRows[i], v));
    const isRight = (j: number): boolean => (distinct ? j === i : texts[j] === texts[i]);
    const right = [...texts.keys()].filter(isRight);
    scores.loss.push((crossEntropy(toTexts, right) + crossEntropy(toImages, right)) / 2);
    scores.image_to_text.push(place(imageRows[i], textRows, i, isRight) === 0 ? 1 : 0);
    scores.text_to_image.push(place(textRows[i], imageRows, i, isRight) === 0 ? 1 : 0);
  }
  return scores;
}

import { describe, expect, it } from 'vitest';
import { floats } from '../../tensor/tensor.ts';
import type { Encoders } from './evaluate.ts';
import { pairExam } from './evaluate-pairs.ts';
import type { PairReader } from './pair-batch.ts';
import type { Pair } from './pairs.ts';

/** Embeddings on the unit circle, one per row. */
const rows = (angles: readonly number[]) => floats([angles.length, 2], Float32Array.from(angles.flatMap(a => [Math.cos(a), Math.sin(a)])));
const encoder = (angles: readonly number[]) => ({ run: async () => ({ embeds: rows(angles) }) });

async function scores(captions: readonly string[], images: readonly number[], texts: readonly number[], distinct = false) {
  const encoders = { image: encoder(images), text: encoder(texts) } as unknown as Encoders;
  const reader = { grid: 1, images: async (of: readonly Pair[]) => of.map(() => new Float32Array(1)), tensors: () => ({}) };
  const pairs = captions.map((text, i) => ({ text, image: 'a.png', place: `line ${i}` })) as unknown as Pair[];
  const how = { encoders, weights: {}, reader: reader as unknown as PairReader, scale: 10, hash: '', distinct };
  return (await pairExam(how, pairs)).batches[0].compute();
}

describe('equal captions in an evaluation', () => {
  // Two captions, each of two pairs; every image lies at its caption.
  const captions = ['a dog', 'a cat', 'a dog', 'a cat'];
  const right = [0, 1, 0, 1];

  it('are one target: a model that names every picture is right', async () => {
    const found = await scores(captions, right, right);
    expect([found.image_to_text, found.text_to_image]).toEqual([
      [1, 1, 1, 1],
      [1, 1, 1, 1],
    ]);
  });

  it('may share the probability in the loss, and must not where they are distinct', async () => {
    // Cosines are 1 to a pair's two equals, 0 to the others; logits are ten times that. Both directions are alike.
    const first = captions.map(() => Math.log(2 * Math.exp(10) + 2) - 10);
    const turned = await scores(captions, [0, Math.PI / 2, 0, Math.PI / 2], [0, Math.PI / 2, 0, Math.PI / 2]);
    for (const [i, loss] of turned.loss.entries()) expect(loss).toBeCloseTo(first[i], 5);
    // The second dog's picture lies at the cats: the mean over both dogs, not the better one.
    const [, , dog] = (await scores(captions, [0, Math.PI / 2, Math.PI / 2, Math.PI / 2], [0, Math.PI / 2, 0, Math.PI / 2])).loss;
    const toTexts = Math.log(2 * Math.exp(10) + 2);
    const toImages = Math.log(Math.exp(10) + 3) - 5;
    expect(dog).toBeCloseTo((toTexts + toImages) / 2, 5);
    const apart = await scores(captions, [0, Math.PI / 2, Math.PI / 2, Math.PI / 2], [0, Math.PI / 2, 0, Math.PI / 2], true);
    expect(apart.loss[2]).toBeCloseTo((toTexts + Math.log(Math.exp(10) + 3)) / 2, 5);
  });

  it('are distinct where that is asked for: ties are then misses', async () => {
    expect((await scores(captions, right, right, true)).image_to_text).toEqual([0, 0, 0, 0]);
  });

  it('do not make a wrong answer right', async () => {
    // The second image lies at the dogs, the last text too.
    const found = await scores(captions, [0, 0, 0, 1], [0, 1, 0, 0]);
    expect(found.image_to_text).toEqual([0, 0, 0, 1]);
    expect(found.text_to_image).toEqual([0, 1, 0, 0]);
  });
});

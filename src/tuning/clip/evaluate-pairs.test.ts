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

  it('are told apart where that is asked for: ties are then misses', async () => {
    expect((await scores(captions, right, right, true)).image_to_text).toEqual([0, 0, 0, 0]);
  });

  it('do not make a wrong answer right', async () => {
    // The second image lies at the dogs, the last text too.
    const found = await scores(captions, [0, 0, 0, 1], [0, 1, 0, 0]);
    expect(found.image_to_text).toEqual([0, 0, 0, 1]);
    expect(found.text_to_image).toEqual([0, 1, 0, 0]);
  });
});
